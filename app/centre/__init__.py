"""What the centre is: queues, skills, agents, entry points and codes; as rows, for the engine, as TOML."""
