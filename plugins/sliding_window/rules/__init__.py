"""Rules of the sliding window, one a file; each class's docstring is the page about its code."""
