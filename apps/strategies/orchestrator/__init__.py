"""Runs strategies: who is due, what they want, and the requests that lead there."""
