"""The socket of the pages: topics that many follow, sent as snapshots and numbered deltas."""
