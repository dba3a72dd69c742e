"""The socket: topics as keyed documents, snapshots and numbered deltas, the same bytes for everybody."""
