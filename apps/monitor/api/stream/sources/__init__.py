"""What each topic shows: one module, one topic, one function from the time to rows."""
