"""Agents: what they and those who may ask for them can set."""
