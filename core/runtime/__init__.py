"""Runs what was checked: the part of core that imports torch.

live_bytes   counts the bytes of every operator on the real torch
remat        recomputes regions in backward, as a memory strategy says
"""
