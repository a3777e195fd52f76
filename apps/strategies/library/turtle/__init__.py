"""The Turtle system in small pieces: N, units, breakouts, pyramid, session, memory."""
