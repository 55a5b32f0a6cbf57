"""The importer of ttt-video-dit's job files."""
