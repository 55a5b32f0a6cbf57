"""A mixer that cuts the sequence into blocks, and declares no law about them."""
