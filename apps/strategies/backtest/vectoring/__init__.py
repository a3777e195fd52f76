"""Trades out of columns of signals, by the rules that the live planner and the replay's matcher have."""
