"""Hyperliquid: perpetuals over signed HTTP actions and one websocket."""
