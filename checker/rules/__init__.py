"""Rules that hold whatever plugins a spec uses, one a file; each class's docstring is the page about its code."""
