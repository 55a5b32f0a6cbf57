"""Test-time training along a sequence, and its backward."""
