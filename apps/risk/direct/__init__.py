"""Stop trading from this process alone: without the broker, and if need be without the database."""

# Venues, or accounts, that are worked on side by side.
THREADS = 8
