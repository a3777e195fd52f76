"""Venues spoken to through ccxt: signing and HTTP are its own, everything else is ours."""
