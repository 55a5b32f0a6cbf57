"""What the model and the TTT mixers share; no plugin of its own."""
