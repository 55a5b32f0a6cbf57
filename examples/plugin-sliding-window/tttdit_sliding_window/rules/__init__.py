"""Rules of the sliding-window mixer, one a file."""
