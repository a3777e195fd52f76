"""Bybit once more, as ccxt's unified methods see it: the generic adapter, which asks instead of listening."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.suite.venues.bybit import VENUE as BYBIT

VENUE = replace(BYBIT, protocol="ccxt:bybit", cancelling={"action": "cancel"}, sockets=False)
