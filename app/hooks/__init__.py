"""What a dialplan may ask the server over FastAGI. A route reads and decorates; it never makes a signal."""
