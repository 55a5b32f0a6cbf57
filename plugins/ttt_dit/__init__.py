"""The model `ttt-dit`: CogVideoX's diffusion transformer with a global mixer in every layer."""
