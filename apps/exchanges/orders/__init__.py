"""Orders from their first row to their last fill."""
