"""The memory strategy `auto`: the setting that fits with the least recomputation."""
