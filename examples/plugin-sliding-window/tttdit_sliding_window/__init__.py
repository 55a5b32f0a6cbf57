"""A mixer for tttdit: attention over neighbouring windows of the sequence, with a gate."""
