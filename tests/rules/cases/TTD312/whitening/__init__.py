"""A mixer that calls what the check does not know."""
