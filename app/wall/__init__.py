"""The wall: today's figures per queue, live, and the links that show them on a TV."""
