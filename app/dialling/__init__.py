"""What must hold before any number is dialled."""
