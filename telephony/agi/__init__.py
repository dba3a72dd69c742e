"""FastAGI: bytes ↔ environment, commands and replies (codec), routes (registry), the server."""
