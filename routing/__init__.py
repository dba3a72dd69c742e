"""The routing engine: pure, standard library only. Signals in, commands and events out."""
