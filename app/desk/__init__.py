"""The agent's desk: who calls, the pop; what the agent does now; drafts, wrap-up, my day."""
