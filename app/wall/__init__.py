"""The wallboard and the floor board: today's figures live, and the links of screens."""
