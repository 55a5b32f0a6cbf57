"""A mixer with an operator of its own, whose fake does not always promise what its body gives."""
