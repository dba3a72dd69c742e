"""The agent's desktop: pops, wrap-up drafts, notes, my day."""
