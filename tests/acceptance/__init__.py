"""From outside: bad input gets a clear answer, leaves a record, sends nothing and harms nobody else."""
