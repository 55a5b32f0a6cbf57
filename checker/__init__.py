"""The checker: from a spec's text to a report. Nothing in it knows a plugin by name, and nothing in it imports torch."""
