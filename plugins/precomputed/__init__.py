"""The data source `precomputed`: latents and text embeddings from files."""
