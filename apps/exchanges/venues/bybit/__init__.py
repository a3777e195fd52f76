"""Bybit: linear perpetuals quoted in USDT, on a unified account in one-way mode."""
