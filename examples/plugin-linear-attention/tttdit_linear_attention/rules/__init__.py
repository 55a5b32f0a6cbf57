"""Rules of the linear-attention mixer, one a file."""
