"""Market making in small pieces: where to quote, how wide, how much, and when not at all."""
