"""The sampler `ddim`."""
