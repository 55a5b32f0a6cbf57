"""How the tensor-parallel ranks share the work."""
