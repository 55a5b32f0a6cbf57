"""What a training step needs: bytes of every rank and host, work, and what travels between ranks.

prediction   the answer, as data
predicting   `tttdit.predict_memory`: one stage, one setting
rank         the whole step of one rank: optimizer's state, clipping, AdamW
communication  what a rank sends and receives
accounting   the most that a step takes of a device, by part
allocator    torch's caching allocator, simulated
gpus         what a process can have of each GPU
outside      the CUDA context, NCCL's buffers
host         main memory of a node
explaining   what saved bytes and peak consist of, tensor by tensor
abbreviating, polynomial  formulas and their sums, over the symbols that people know
placing      every allocation of a step at its address
stage_view   a stage as a page and a snapshot show it
weighing     a prediction when a rule or the report asks, kept in the cache
refusing     stages of which none is made
settings, filtering  every setting of `[memory]`, and which to show
sweeping, mixing      what a stage needs in many settings, by arithmetic on outlines
outlining, structures, likeness, recording  outlines of few records, and of what is like them
surveying, front     settings beside a budget, and those that no other is better than
remedy, waiting      a setting that fits, and regions that wait for their replay, found with few predictions
cache        what has been found out, in the user's cache folder
"""
