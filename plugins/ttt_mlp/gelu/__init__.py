"""GELU and its derivatives."""
