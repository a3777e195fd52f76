"""From an approved row to the venue: the gate, the sender, the halt, the sweeper."""
