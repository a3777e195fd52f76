"""Which parameters do well: search spaces, samplers, runs of trials over any number of machines."""
