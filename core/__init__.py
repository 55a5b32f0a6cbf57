"""The vocabulary: what specs, plugins, the checker and the runtime say to each other. Imports neither plugins nor the checker."""
