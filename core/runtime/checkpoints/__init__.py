"""Checkpoints of a run, by torch.distributed.checkpoint.

saving   written beside and renamed, at once or while training goes on
loading  into a state on any mesh
failing  what goes wrong on one rank is known to all
"""
