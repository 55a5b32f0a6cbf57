"""The mixer `sliding-window`: attention over neighbouring segments."""
