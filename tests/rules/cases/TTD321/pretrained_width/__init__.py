"""A mixer that may have to be as wide as its pretrained weights, and says so in no law."""
