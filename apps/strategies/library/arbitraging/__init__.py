"""Arbitrage in small pieces: what two books give, which pairs are worth it, and when they are unwound."""
