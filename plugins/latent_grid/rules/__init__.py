"""Rules of a grid of latents, one a file; each class's docstring is the page about its code."""
