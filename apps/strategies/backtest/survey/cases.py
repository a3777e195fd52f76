"""What is tried on what: for each idea the recordings that show it best, longest first.

A recording is named by venue, symbol and length of a bar; whatever months of it are there will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from apps.strategies.registry import library_names, preset_names

Group = tuple[str, ...]

_MINUTES: Group = ("hyperliquid-perp_BTCUSDC_1m",)
_THREE_MINUTES: Group = (*_MINUTES, "hyperliquid-perp_ETHUSDC_1m", "hyperliquid-perp_SOLUSDC_1m")
_ETH_5M: Group = ("bybit-linear_ETHUSDT_5m",)
_BTC_5M: Group = ("binance-usdm_BTCUSDT_5m",)
_BTC_15M, _ETH_15M = ("binance-usdm_BTCUSDT_15m",), ("binance-usdm_ETHUSDT_15m",)
_BTC_1H, _ETH_1H = ("binance-usdm_BTCUSDT_1h",), ("okx-swap_ETH-USDT-SWAP_1h",)
_COINS_1H: Group = ("okx-swap_BTC-USDT-SWAP_1h", *_ETH_1H, "okx-swap_SOL-USDT-SWAP_1h", "okx-swap_XRP-USDT-SWAP_1h")
_PAIR_1H: Group = ("okx-swap_ETH-USDT-SWAP_1h", "okx-swap_BTC-USDT-SWAP_1h")
_NINE_5M: Group = tuple(
    f"hyperliquid-perp_{coin}USDC_5m" for coin in ("BTC", "ETH", "SOL", "ADA", "DOGE", "DOT", "DYDX", "UNI", "XRP")
)
_TWO_VENUES: Group = ("binance-usdm_BTCUSDT_1h", "okx-swap_BTC-USDT-SWAP_1h")


@dataclass(frozen=True, slots=True)
class Case:
    """One preset on one group of recordings; `changed` parameters make it fit them, and are shown."""

    strategy: str
    preset: str
    recordings: Group
    changed: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what the preset is called in the table."""
        changes = ", ".join(f"{name} {value}" for name, value in self.changed.items())
        return f"{self.preset} ({changes})" if changes else self.preset


# The usual recordings of a strategy, and those of presets that look at other lengths of bars. A kind that is not here
# is not tried: a filter without a trained model is the strategy that it filters.
_USUAL: Mapping[str, Sequence[Group]] = MappingProxyType(
    {
        "market_maker": (_MINUTES,),
        "turtle_trend": (_COINS_1H,),
        "mean_reversion": (_BTC_15M, _ETH_15M),
        "consolidation_pop": (_ETH_5M, _BTC_5M),
        "nadaraya_watson": (_BTC_1H, _ETH_1H),
        "correlation": (_NINE_5M,),
        "arbitrage": (_TWO_VENUES,),
    }
)
_OTHER: Mapping[tuple[str, str], Sequence[Group]] = MappingProxyType(
    {
        ("market_maker", "original"): (_ETH_5M,),
        ("turtle_trend", "original"): (_MINUTES,),
        ("turtle_trend", "fast"): (_MINUTES,),
        ("mean_reversion", "original"): (_ETH_5M, _BTC_5M),
        ("mean_reversion", "fast"): (_MINUTES,),
        ("consolidation_pop", "fast"): (_MINUTES,),
        ("nadaraya_watson", "fast"): (_MINUTES,),
        ("correlation", "pairs"): (_PAIR_1H,),
        ("correlation", "fast"): (_THREE_MINUTES,),
        ("correlation", "fast_pairs"): (_THREE_MINUTES[:2],),
    }
)
# A week of minutes says little: what was meant for minutes is tried on months of longer bars as well, and what can
# look at the recorded bars themselves on those.
_LONGER: Sequence[Case] = (
    Case("turtle_trend", "original", _ETH_5M, MappingProxyType({"interval": "5m"})),
    Case("turtle_trend", "original", _BTC_1H, MappingProxyType({"interval": "1h"})),
    Case("correlation", "original", _NINE_5M, MappingProxyType({"interval": "5m"})),
)


def cases(kinds: Sequence[str] = ()) -> Iterator[Case]:
    """Yield every case of the library, or of `kinds`, strategy by strategy."""
    for kind in library_names():
        if kinds and kind not in kinds:
            continue
        for preset in preset_names(kind):
            for group in _OTHER.get((kind, preset), _USUAL.get(kind, ())):
                yield Case(kind, preset, group)
            yield from (case for case in _LONGER if (case.strategy, case.preset) == (kind, preset))
