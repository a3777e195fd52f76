"""Circuit breakers: what is watched, when it trips, what it does then, and how it comes back."""
