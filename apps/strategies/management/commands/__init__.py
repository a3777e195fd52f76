"""Commands of the strategy floor."""
