"""Binance's spot market, beside its futures: its own paths, fields, limits and errors."""
