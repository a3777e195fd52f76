"""The lengths of bar that a strategy may be run on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

Interval = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
OptionalInterval = Literal["none", "1m", "5m", "15m", "1h", "4h", "1d"]
INTERVALS: Mapping[str, timedelta] = MappingProxyType(
    {
        "1m": timedelta(minutes=1),
        "5m": timedelta(minutes=5),
        "15m": timedelta(minutes=15),
        "1h": timedelta(hours=1),
        "4h": timedelta(hours=4),
        "1d": timedelta(days=1),
    }
)
