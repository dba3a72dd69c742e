"""When we are open: zones, shifts, holidays, make-up workdays, closures."""
