"""The web: errors, security headers, health, metrics, and the list of all routes."""
