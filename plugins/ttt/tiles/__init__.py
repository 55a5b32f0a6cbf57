"""Pieces of a sequence, prepared for a scan."""
