"""The commands of `tttdit`, one a file."""
