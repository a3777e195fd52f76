"""What rules measure: one module a matter, each a small function from one look at the platform to values by scope."""
