"""Rules of the samplers with guidance, one a file; each class's docstring is the page about its code."""
