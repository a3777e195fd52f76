"""The wire of dYdX v4: an indexer that reads and streams, a node of the chain that takes transactions."""
