"""The sampler `dpmpp-2m-sde`."""
