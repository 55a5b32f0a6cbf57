"""Runs what was checked: the part of core that imports torch.

building     a spec's model
objective    the training loss
initial      new values for all parameters of a model
tables       constants that follow a model wherever it goes
live_bytes   counts the bytes of every operator on the real torch
sharding     spreads a model over ranks, with FSDP2
remat        recomputes regions in backward, as a memory strategy says
proof        a training step in both worlds, compared operator by operator
"""
