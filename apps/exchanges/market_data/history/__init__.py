"""Market data that is kept: SQL for what is recent, a Parquet lake for the rest, and the checks both must pass."""
