"""The Asterisk Manager Interface: bytes ↔ messages (codec), and one connection (link)."""
