"""A mixer that does not say how ranks share its work."""
