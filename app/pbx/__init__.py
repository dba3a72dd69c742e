"""The private Asterisk from the command line."""
