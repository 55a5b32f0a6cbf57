"""Rules of the codec, one a file; each class's docstring is the page about its code."""
