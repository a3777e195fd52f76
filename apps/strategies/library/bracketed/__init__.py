"""One trade per market between a stop and a target: entered, guarded, timed out, and never forgotten."""
