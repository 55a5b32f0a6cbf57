"""The sequence block: attention in windows, and the mixer over everything."""
