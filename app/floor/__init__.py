"""The floor as it is now."""
