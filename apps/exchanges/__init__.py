"""Venues, market data, orders, fills, positions, execution and the mock exchange."""
