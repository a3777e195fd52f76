"""Daily and weekly reports, to be read."""
