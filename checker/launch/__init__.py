"""How a curriculum is started on many ranks.

groups     stages that one launch can train, and the nodes that it takes
torchrun   the lines that start them
jobs       the jobs that Slurm is given, by submitit
rank_task  what each task of a job does
"""
