"""The text encoder `hash`."""
