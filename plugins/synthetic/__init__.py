"""The data source `synthetic`: random samples."""
