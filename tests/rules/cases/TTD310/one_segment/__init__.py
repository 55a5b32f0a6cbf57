"""A mixer with a mistake that people really made: it takes one text segment off the sequence, where there are S."""
