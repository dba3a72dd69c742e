"""Everything that talks to the PBX. Of ``routing`` it imports ids, signals and commands, nothing else."""
