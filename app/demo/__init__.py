"""A small contact centre to look at: a real Asterisk, a real server, synthetic people."""
