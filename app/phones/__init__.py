"""Agents' phones: which one rings, and the browser phone's way to the PBX."""
