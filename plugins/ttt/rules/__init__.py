"""Rules of the TTT mixers, one a file; each class's docstring is the page about its code."""
