"""The logger `console`."""
