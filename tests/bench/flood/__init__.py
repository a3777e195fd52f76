"""A flood of market messages, and what becomes of it."""
