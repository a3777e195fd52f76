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

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import EngineConfig, Exchange
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.mock.wire.hyperliquid.http import HyperliquidWire
from apps.exchanges.mock.wire.port import Wire
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

HYPERLIQUID = "hyperliquid"
ALL = "all"
_FIGURES = 5
_NO_CAP = 20

WireFactory = Callable[[Exchange, Clock, WireConfig, FaultBook], Wire]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one instrument: price step, decimals of a size, smallest notional, highest leverage."""

    tick: str
    sz_decimals: int
    min_notional: int
    max_leverage: int


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

    def engine(self) -> EngineConfig:
        """Return the engine's rates."""
        return EngineConfig(maker_fee_bps=Decimal(self.maker_fee_bps), taker_fee_bps=Decimal(self.taker_fee_bps))

    def wire_config(self, config: WireConfig) -> WireConfig:
        """Return `config` with this venue's fees."""
        return replace(config, maker_fee_bps=Decimal(self.maker_fee_bps), taker_fee_bps=Decimal(self.taker_fee_bps))

    def spec(self, spec: InstrumentSpec, price: Decimal) -> InstrumentSpec:
        """Return the rules of `spec`'s coin here; `price` gives the step of a coin without rules of its own."""
        if not self.rules:
            return replace(spec, quote=self.quote)
        known = self.rules.get(spec.coin)
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


VENUES: Mapping[str, MockVenue] = MappingProxyType(
    {venue.name: venue for venue in (MockVenue(HYPERLIQUID, HyperliquidWire, "USDC", "1.5", "4.5"),)}
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
