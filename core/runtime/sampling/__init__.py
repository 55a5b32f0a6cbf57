"""Draws videos from a trained model: noise levels, guidance, and the loop that a sampler runs."""
