"""Rules of `ttt-dit`, one a file; each class's docstring is the page about its code."""
