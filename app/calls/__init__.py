"""Calls: the log, and what can be done to a live call."""
