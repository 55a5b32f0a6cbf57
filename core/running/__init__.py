"""A run as it lies on disk: light, so that whoever only looks at a run imports no torch.

folder       where a run keeps what
checkpoints  which of a stage's is the last whole one
lines        JSON lines that survive a kill
exit_codes   how `tttdit run` ends
chance       where random numbers start
"""
