"""Which venues the mock exchange can be: their instruments, their fees, and the wire that speaks for each.

Ticks, lots and minimum notionals are typical of 2025, not quotations; the venue's own list is authoritative there, as
this one is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import floor, log10
from types import MappingProxyType
from typing import Any

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import EngineConfig, Exchange
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.binance.http import BinanceWire
from apps.exchanges.mock.wire.bybit.http import BybitWire
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.dydx.http import DydxWire
from apps.exchanges.mock.wire.hyperliquid.http import HyperliquidWire
from apps.exchanges.mock.wire.phemex.http import PhemexWire
from apps.exchanges.mock.wire.port import Wire
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

HYPERLIQUID = "hyperliquid"
BINANCE = "binance"
DYDX = "dydx"
ALL = "all"
_FIGURES = 5
_NO_CAP = 20
# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids
_FIRST_SPOT_ASSET = 10_000
_BRIDGED = frozenset({"BTC", "ETH", "SOL"})

WireFactory = Callable[[Exchange, Clock, WireConfig, FaultBook], Wire]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one instrument: price step, decimals of a size, smallest notional, highest leverage."""

    tick: str
    sz_decimals: int
    min_notional: int
    max_leverage: int


@dataclass(frozen=True, slots=True)
class SpotName:
    """What a venue calls a spot pair: the pair, its base asset, and its number."""

    pair: str
    base: str
    asset_id: int


@dataclass(frozen=True, slots=True)
class SpotSide:
    """The spot market of a venue that has one: a pair for every coin, against the venue's quote currency.

    `name` is given a coin and its position in the list. Fees in basis points. `rules` are by coin; without any the
    pairs have the perpetuals' rules.
    """

    name: Callable[[str, int], SpotName]
    maker_fee_bps: str
    taker_fee_bps: str
    rules: Mapping[str, Rules] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MockVenue:
    """One venue the mock can be.

    `basis_bps` is by how much its market lies above the common one; `rules` are by coin, others are made up. A venue
    without `rules` has Hyperliquid's.
    """

    name: str
    wire: WireFactory
    quote: str
    maker_fee_bps: str
    taker_fee_bps: str
    basis_bps: float = 0.0
    rules: Mapping[str, Rules] = field(default_factory=dict)
    spot: SpotSide | None = None

    def engine(self) -> EngineConfig:
        """Return the engine's rates."""
        return EngineConfig(**self._rates())

    def wire_config(self, config: WireConfig) -> WireConfig:
        """Return `config` with this venue's fees."""
        return replace(config, **self._rates())

    def _rates(self) -> dict[str, Any]:
        rates = {"maker_fee_bps": self.maker_fee_bps, "taker_fee_bps": self.taker_fee_bps}
        if self.spot is not None:
            rates |= {"spot_maker_fee_bps": self.spot.maker_fee_bps, "spot_taker_fee_bps": self.spot.taker_fee_bps}
        return {name: Decimal(rate) for name, rate in rates.items()}

    def spec(self, spec: InstrumentSpec, price: Decimal) -> InstrumentSpec:
        """Return the rules of `spec`'s coin here; `price` gives the step of a coin without rules of its own."""
        return self._ruled(spec, price, self.rules)

    def spot_pairs(self, specs: Sequence[InstrumentSpec], marks: Mapping[str, Decimal]) -> dict[str, InstrumentSpec]:
        """Return the spot pair of each coin of `specs`, by coin; nothing when the venue has no spot market."""
        if self.spot is None:
            return {}
        pairs = {}
        for position, spec in enumerate(specs):
            name = self.spot.name(spec.coin, position)
            ruled = self._ruled(spec, marks[spec.coin], self.spot.rules or self.rules)
            pairs[spec.coin] = replace(ruled, coin=name.pair, base=name.base, asset_id=name.asset_id)
        return pairs

    def _ruled(self, spec: InstrumentSpec, price: Decimal, table: Mapping[str, Rules]) -> InstrumentSpec:
        if not table:
            return replace(spec, quote=self.quote)
        known = table.get(spec.coin)
        if known is None:
            tick, rules = _made_up_tick(spec, price), Rules("1", spec.sz_decimals, 5, min(spec.max_leverage, 20))
        else:
            tick, rules = Decimal(known.tick), known
        return InstrumentSpec(
            spec.coin,
            spec.asset_id,
            rules.sz_decimals,
            rules.max_leverage,
            sig_figs=_NO_CAP,
            min_notional=Decimal(rules.min_notional),
            tick=tick,
            quote=self.quote,
        )


def _made_up_tick(spec: InstrumentSpec, price: Decimal) -> Decimal:
    """Return the power of ten that gives about five significant figures at `price`."""
    exponent = max(floor(log10(float(price))) - _FIGURES + 1, -spec.price_max_decimals)
    return Decimal(1).scaleb(exponent)


def mark_on_grid(spec: InstrumentSpec, price: Decimal) -> Decimal:
    """Return `price` on the instrument's grid."""
    grid = Grid.of(spec)
    return grid.price(grid.nearest(float(price)))


def _hyperliquid_pair(coin: str, position: int) -> SpotName:
    """Return a pair as Hyperliquid numbers it; the great coins of other chains are there as tokens of a bridge."""
    return SpotName(f"@{position}", f"U{coin}" if coin in _BRIDGED else coin, _FIRST_SPOT_ASSET + position)


def _binance_pair(coin: str, position: int) -> SpotName:
    """Return a pair as the wire tells it from the perpetual, whose symbol at the venue is the same."""
    return SpotName(f"{coin}/USDT", coin, _FIRST_SPOT_ASSET + position)


_BINANCE_SPOT_RULES = {
    "BTC": Rules("0.01", 4, 5, 1),
    "ETH": Rules("0.01", 4, 5, 1),
    "SOL": Rules("0.01", 3, 5, 1),
    "XRP": Rules("0.0001", 1, 5, 1),
    "DOGE": Rules("0.00001", 0, 5, 1),
    "BNB": Rules("0.01", 3, 5, 1),
}
_BINANCE_RULES = {
    "BTC": Rules("0.1", 3, 100, 125),
    "ETH": Rules("0.01", 3, 20, 100),
    "SOL": Rules("0.01", 2, 5, 75),
    "XRP": Rules("0.0001", 1, 5, 75),
    "DOGE": Rules("0.00001", 0, 5, 75),
    "ADA": Rules("0.0001", 0, 5, 75),
    "AVAX": Rules("0.001", 0, 5, 75),
    "LINK": Rules("0.001", 2, 20, 75),
    "DOT": Rules("0.001", 1, 5, 75),
    "LTC": Rules("0.01", 3, 20, 75),
    "BNB": Rules("0.01", 2, 5, 75),
    "BCH": Rules("0.01", 3, 20, 75),
}


_BYBIT = {
    "BTC": Rules("0.1", 3, 5, 100),
    "ETH": Rules("0.01", 2, 5, 100),
    "SOL": Rules("0.01", 1, 5, 100),
    "XRP": Rules("0.0001", 1, 5, 75),
    "DOGE": Rules("0.00001", 0, 5, 75),
}
# No smallest notional: the chain asks for one step of size only.
_DYDX_RULES: Mapping[str, Rules] = MappingProxyType(
    {
        "BTC": Rules("1", 4, 0, 50),
        "ETH": Rules("0.1", 3, 0, 50),
        "SOL": Rules("0.01", 1, 0, 20),
    }
)
_PHEMEX: Mapping[str, Rules] = MappingProxyType(
    {
        "BTC": Rules("0.1", 3, 1, 100),
        "ETH": Rules("0.01", 2, 1, 100),
        "SOL": Rules("0.01", 2, 1, 50),
        "XRP": Rules("0.0001", 0, 1, 50),
        "ADA": Rules("0.0001", 0, 1, 50),
        "DOGE": Rules("0.00001", 0, 1, 50),
        "LINK": Rules("0.001", 2, 1, 50),
        "AVAX": Rules("0.001", 2, 1, 50),
    }
)

VENUES: Mapping[str, MockVenue] = MappingProxyType(
    {
        venue.name: venue
        for venue in (
            MockVenue(
                HYPERLIQUID, HyperliquidWire, "USDC", "1.5", "4.5", spot=SpotSide(_hyperliquid_pair, "4.0", "7.0")
            ),
            MockVenue(
                BINANCE,
                BinanceWire,
                "USDT",
                "2",
                "5",
                1.0,
                _BINANCE_RULES,
                SpotSide(_binance_pair, "10", "10", _BINANCE_SPOT_RULES),
            ),
            MockVenue("bybit", BybitWire, "USDT", "2", "5.5", basis_bps=1.5, rules=_BYBIT),
            MockVenue("phemex", PhemexWire, "USDT", "1", "6", basis_bps=-1.5, rules=_PHEMEX),
            MockVenue(DYDX, DydxWire, "USDC", "1", "5", basis_bps=-1.0, rules=_DYDX_RULES),
        )
    }
)


def venues_named(names: Sequence[str]) -> tuple[MockVenue, ...]:
    """Return the venues of `names` (or all of them), in the table's order.

    Raises InvalidValue for a name that is not in the table, and for none at all.
    """
    wanted = list(VENUES) if list(names) == [ALL] else list(names)
    allowed = f"{ALL}, or some of {', '.join(VENUES)}"
    if not wanted:
        raise InvalidValue("venues", "none", allowed)
    for name in wanted:
        if name not in VENUES:
            raise InvalidValue("venues", name, allowed)
    return tuple(venue for name, venue in VENUES.items() if name in wanted)
