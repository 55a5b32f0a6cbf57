"""What that code's runtime forbids in its own job files, one rule a file; each class's docstring is the page about its code."""
