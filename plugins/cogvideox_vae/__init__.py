"""The codec `cogvideox-vae`: CogVideoX's causal video VAE."""
