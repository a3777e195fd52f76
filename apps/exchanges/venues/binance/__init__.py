"""Binance's USDⓈ-M futures: REST through ccxt, streams by ourselves."""
