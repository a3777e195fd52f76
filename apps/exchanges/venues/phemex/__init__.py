"""Phemex: USDT perpetuals. Requests through ccxt, streams read raw."""
