"""Rotary position embeddings over time, rows and columns."""
