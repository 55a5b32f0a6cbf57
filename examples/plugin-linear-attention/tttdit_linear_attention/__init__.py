"""A mixer for tttdit: causal linear attention, chunk by chunk, with a gate."""
