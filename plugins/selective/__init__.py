"""The memory strategy `selective`: each region in all layers, in none, or in some."""
