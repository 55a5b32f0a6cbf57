"""Reports as text: one file an output format, and what they share."""
