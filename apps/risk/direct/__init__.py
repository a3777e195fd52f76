"""Stop trading from this process alone: without the broker, and if need be without the database."""
