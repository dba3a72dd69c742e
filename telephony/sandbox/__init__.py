"""A private real Asterisk: fetched, rendered, started and stopped without root."""
