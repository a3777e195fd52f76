"""Daily and weekly reports: what was made, lost, risked, paid and changed, to be read in two minutes."""
