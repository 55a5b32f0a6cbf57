"""The codec `cogvideox-vae`: geometry of a causal video VAE."""
