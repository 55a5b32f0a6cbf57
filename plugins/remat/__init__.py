"""What memory strategies share: a room of their own, no plugin."""
