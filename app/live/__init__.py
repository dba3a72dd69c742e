"""The live half: clock, inbox, dispatcher, journal, bus. The only code that touches the engine."""
