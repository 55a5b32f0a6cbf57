"""Rules of the data source `precomputed`, one a file; each class's docstring is the page about its code."""
