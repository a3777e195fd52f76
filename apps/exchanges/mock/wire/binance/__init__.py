"""Binance's protocols: USDⓈ-M futures."""
