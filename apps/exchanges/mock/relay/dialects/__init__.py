"""How each venue's public stream is asked for and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from apps.exchanges.mock.relay.dialects.binance import Binance
from apps.exchanges.mock.relay.dialects.bybit import Bybit
from apps.exchanges.mock.relay.dialects.dydx import Dydx
from apps.exchanges.mock.relay.dialects.hyperliquid import Hyperliquid
from apps.exchanges.mock.relay.dialects.phemex import Phemex
from apps.exchanges.mock.relay.dialects.port import Dialect

__all__ = ["DIALECTS", "Dialect"]

# A dialect knows one connection: it is made anew with each.
DIALECTS: Mapping[str, Callable[[Sequence[str]], Dialect]] = MappingProxyType(
    {"hyperliquid": Hyperliquid, "binance": Binance, "bybit": Bybit, "phemex": Phemex, "dydx": Dydx}
)
