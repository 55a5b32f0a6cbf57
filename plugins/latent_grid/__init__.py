"""What the codecs share whose latents lie on a grid, the first frame alone; no plugin of its own."""
