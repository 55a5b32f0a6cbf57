"""Rules of the sampler `dpmpp-2m-sde`, one a file; each class's docstring is the page about its code."""
