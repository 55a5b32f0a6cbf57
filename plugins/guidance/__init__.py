"""What the samplers with classifier-free guidance share; no plugin of its own."""
