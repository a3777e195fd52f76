"""What an operator may set of the arbitrage."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from apps.strategies.base import Parameters
from moondev.domain.errors import InvalidValue

DEAREST_FEE_BPS = 1_000.0


def _fees(text: str) -> dict[str, float]:
    """Return the fee by venue that `text` tells, e.g. ``binance=5/hyperliquid=4.5``."""
    fees: dict[str, float] = {}
    for part in filter(None, text.split("/")):
        venue, _, number = part.partition("=")
        try:
            fees[venue.strip()] = float(number)
        except ValueError:
            raise InvalidValue("venue_fees_bps", text, "venue=fee by strokes, e.g. binance=5/hyperliquid=4.5") from None
    if any(not name or not 0 <= fee <= DEAREST_FEE_BPS for name, fee in fees.items()):
        raise InvalidValue("venue_fees_bps", text, "a venue and a fee from 0 to 1000 in each part")
    return fees


def _fees_told(text: str) -> str:
    _fees(text)
    return text


def _cross_told(text: str) -> str:
    key, _, pair = text.partition("=")
    base, _, quote = pair.partition("/")
    if text and not (":" in key and base and quote):
        raise InvalidValue("triangle_cross", text, "instrument=base/quote, e.g. binance:ETHBTC=ETH/BTC")
    return text


VenueFees = Annotated[str, AfterValidator(_fees_told)]
Cross = Annotated[str, AfterValidator(_cross_told)]


class ArbitrageParameters(Parameters):
    """The rules of one arbitrageur. Fees, edges and gaps are basis points of the price that is paid."""

    mode: Literal["cross_venue", "funding_carry", "triangular"] = Field(
        "cross_venue",
        description="cross_venue: buy cheap, sell dear; funding_carry: hold both for the funding; triangular: watch.",
    )
    order_weight_percent: float = Field(
        20.0, gt=0, le=50, description="Share of the allocation in each leg of a pair at most, per cent."
    )
    max_notional: float = Field(0.0, ge=0, description="Worth of a leg at most, in quote currency; 0 is no such limit.")
    max_pairs: int = Field(3, ge=1, le=20, description="Pairs held at once at most.")
    taker_fee_bps: float = Field(10.0, ge=0, le=DEAREST_FEE_BPS, description="Taker fee of venues not named below.")
    venue_fees_bps: VenueFees = Field(
        "", description="Taker fees by venue, separated by strokes, e.g. binance=5/hyperliquid=4.5."
    )
    slippage_bps: float = Field(2.0, ge=0, le=1_000, description="What each entry is expected to lose on the way.")
    min_profit_bps: float = Field(2.0, ge=0, le=1_000, description="Profit after everything that is worth a trade.")
    count_unwinding: bool = Field(
        default=True, description="Demand that the edge pays for the way out, too: both fees and close_gap_bps."
    )
    close_gap_bps: float = Field(
        0.0, ge=-1_000, le=1_000, description="The edge has closed when unwinding costs this much or less, before fees."
    )
    stop_gap_bps: float = Field(
        50.0, gt=0, le=10_000, description="Unwind when the gap has gone this much further apart since the entry."
    )
    max_hold_minutes: float = Field(1_440.0, gt=0, le=527_040, description="Unwind a pair that is older than this.")
    max_leg_gap_ms: int = Field(
        5_000, ge=100, le=600_000, description="Time in which every leg has to fill; else all are undone."
    )
    cooldown_seconds: float = Field(30.0, ge=0, le=86_400, description="Pause of a pair after it was unwound.")
    max_data_age_seconds: float = Field(3.0, gt=0, le=600, description="No opening when a book is older.")
    max_book_gap_seconds: float = Field(
        2.0, gt=0, le=600, description="No opening when the two books were received further apart than this."
    )
    min_carry_bps_per_day: float = Field(
        3.0, gt=0, le=1_000, description="funding_carry: funding earned a day that is worth holding for."
    )
    exit_carry_bps_per_day: float = Field(
        0.0, ge=-1_000, le=1_000, description="funding_carry: unwind when a day earns less than this."
    )
    max_payback_hours: float = Field(
        72.0, gt=0, le=8_784, description="funding_carry: hours in which fees and spreads have to be earned back."
    )
    triangle_cross: Cross = Field(
        "", description="triangular: the pair between two coins as instrument=base/quote, e.g. binance:ETHBTC=ETH/BTC."
    )

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if (self.mode == "triangular") != bool(self.triangle_cross):
            allowed = "an instrument=base/quote for triangular, nothing for the other modes"
            raise InvalidValue("triangle_cross", self.triangle_cross, allowed)
        if self.exit_carry_bps_per_day >= self.min_carry_bps_per_day:
            allowed = f"less than min_carry_bps_per_day ({self.min_carry_bps_per_day:g})"
            raise InvalidValue("exit_carry_bps_per_day", self.exit_carry_bps_per_day, allowed)
        return self

    def fee_bps(self, venue: str) -> float:
        """Return the taker fee at `venue`."""
        return _fees(self.venue_fees_bps).get(venue, self.taker_fee_bps)

    @property
    def cross(self) -> tuple[str, str, str]:
        """Return instrument key, base and quote coin of the triangle's third side."""
        key, _, pair = self.triangle_cross.partition("=")
        base, _, quote = pair.partition("/")
        return key, base, quote

    @property
    def most_notional(self) -> float:
        """Return the limit on the worth of a leg; infinite when there is none."""
        return self.max_notional or math.inf


CANONICAL = ArbitrageParameters()
# The port's numbers: 0.1 % profit after 0.05 % of slippage, 1,000 a leg, three at once, five seconds to live. It does
# not count the way out, for it takes every leg for settled.
ORIGINAL = ArbitrageParameters(
    slippage_bps=5.0,
    min_profit_bps=10.0,
    count_unwinding=False,
    max_notional=1_000.0,
    max_pairs=3,
    max_leg_gap_ms=5_000,
)
# Perpetuals against each other for their funding, at the fees of a first tier.
FUNDING_CARRY = ArbitrageParameters(
    mode="funding_carry", taker_fee_bps=5.0, max_hold_minutes=43_200.0, max_leg_gap_ms=10_000, cooldown_seconds=3_600.0
)
TRIANGULAR = ArbitrageParameters(mode="triangular", triangle_cross="binance:ETHBTC=ETH/BTC", slippage_bps=1.0)
# For demonstrations: no fee is counted, so it trades on every gap and loses what the venues charge.
FAST = ArbitrageParameters(
    taker_fee_bps=0.0,
    slippage_bps=0.0,
    min_profit_bps=0.5,
    order_weight_percent=5.0,
    max_hold_minutes=2.0,
    max_leg_gap_ms=10_000,
    cooldown_seconds=5.0,
)
