"""Which coefficients of a cosine transform the codec keeps."""
