"""Rules of the data source `synthetic`, one a file; each class's docstring is the page about its code."""
