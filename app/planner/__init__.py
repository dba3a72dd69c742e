"""The planner's face: forecasts and requirements asked for, kept, and shown."""
