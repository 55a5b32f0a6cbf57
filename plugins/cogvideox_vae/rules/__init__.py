"""Rules of the codec beside those of its grid, one a file; each class's docstring is the page about its code."""
