"""The mixer `none`: local attention only."""
