"""Tensor parallelism: ranks that compute one sample together, each with its heads and its share of the tokens."""
