"""A mixer that refuses some sizes itself."""
