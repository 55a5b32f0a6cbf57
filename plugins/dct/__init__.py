"""The codec `dct`: a fixed transform with the geometry of a video VAE, without weights."""
