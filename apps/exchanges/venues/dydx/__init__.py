"""dYdX v4: an indexer to read from, a chain to write to."""
