"""What is going on, as it happens: topics, each a table of rows, sent as a snapshot and then as what has changed."""
