"""Makes a dataset of videos: samples of latents and text embeddings, a manifest of them, and a card that says what they are."""
