"""The memory strategy `regions`: a switch or a size for each region."""
