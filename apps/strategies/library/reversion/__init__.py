"""Mean reversion in small pieces: how far is far, which way, and whether to believe it."""
