"""Files of what happened, for tables, notebooks and tax advisers: CSV and Parquet, written a batch at a time."""
