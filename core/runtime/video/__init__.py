"""Video files, by PyAV: frames out of them, into them, and pictures of what they show."""
