"""What an operator may set of the market maker."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from apps.strategies.base import Parameters
from moondev.domain.errors import InvalidValue

MINUTE = timedelta(minutes=1)
ZONE_BAR = timedelta(minutes=5)
WHOLE_PERCENT = 100
FARTHEST_BPS = 1_000


def _numbers(field: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split("/"))
    except ValueError:
        raise InvalidValue(field, text, "numbers separated by a stroke, e.g. 20/40/40") from None


def _split(text: str) -> str:
    shares = _numbers("level_split_percent", text)
    if any(not share > 0 for share in shares) or abs(sum(shares) - WHOLE_PERCENT) > 1e-9:
        allowed = "positive shares that add up to 100, e.g. 20/40/40"
        raise InvalidValue("level_split_percent", text, allowed)
    return text


def _distances(text: str) -> str:
    distances = _numbers("zone_distances_bps", text)
    rising = all(nearer < farther for nearer, farther in pairwise(distances))
    within = distances[0] >= 0 and distances[-1] < FARTHEST_BPS
    if not rising or not within:
        allowed = "rising distances from 0 to 1000, e.g. 9/30/50"
        raise InvalidValue("zone_distances_bps", text, allowed)
    return text


Split = Annotated[str, AfterValidator(_split)]
Distances = Annotated[str, AfterValidator(_distances)]


class MakerParameters(Parameters):
    """The rules of one market maker. Prices are basis points of the mid, times are seconds."""

    model: Literal["glft", "avellaneda_stoikov", "zone"] = Field(
        "glft",
        description="glft: no horizon; avellaneda_stoikov: rolling horizon; zone: fade the range.",
    )
    order_weight_percent: float = Field(
        5.0, gt=0, le=100, description="Share of the allocation quoted on each side, per cent."
    )
    max_inventory_percent: float = Field(
        25.0, gt=0, le=100, description="Share of the allocation held at most, per cent."
    )
    level_split_percent: Split = Field(
        "20/40/40", description="How each side is split over its levels, nearest first, per cent."
    )
    maker_fee_bps: float = Field(1.5, ge=-5, le=100, description="Fee of a maker fill; no quote is nearer than this.")
    risk_aversion: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Gamma per basis point and unit; 0 derives it from full_inventory_skew.",
    )
    full_inventory_skew: float = Field(
        1.0, gt=0, le=5, description="Half-spreads by which full inventory moves the quotes at reference volatility."
    )
    reference_volatility_bps: float = Field(
        0.9,
        gt=0,
        le=100,
        description="Volatility of an ordinary day, per square root of a second, at which risk aversion is derived.",
    )
    fill_decay_per_bp: float = Field(
        0.3, gt=0, le=10, description="k: how fast fills thin out with distance, per basis point."
    )
    fills_per_second: float = Field(0.5, gt=0, le=1_000, description="A: fills per second of a quote at the mid.")
    horizon_seconds: float = Field(600.0, ge=1, le=86_400, description="Rolling horizon of avellaneda_stoikov.")
    level_step_half_spreads: float = Field(
        1.0, gt=0, le=10, description="Distance between two levels, in half-spreads."
    )
    volatility_bars: int = Field(60, ge=10, le=1_000, description="Closed 1m bars from which volatility is measured.")
    min_volatility_bars: int = Field(20, ge=5, le=1_000, description="Closed 1m bars without which nothing is quoted.")
    min_volatility_bps: float = Field(
        0.1, gt=0, le=100, description="Volatility assumed at least, per square root of a second."
    )
    spike_bars: int = Field(3, ge=1, le=30, description="Newest 1m bars compared with the others for a spike.")
    spike_multiple: float = Field(
        3.0, gt=1, le=100, description="Pull quotes when volatility is this many times the usual."
    )
    spike_pause_seconds: float = Field(60.0, ge=0, le=86_400, description="How long quotes stay away after a spike.")
    reprice_bps: float = Field(
        1.0, ge=0, le=100, description="Quotes stay where they are until they are off by this much."
    )
    max_data_age_seconds: float = Field(5.0, gt=0, le=600, description="Pull quotes when the newest datum is older.")
    zone_bars: int = Field(180, ge=20, le=1_000, description="zone: 5m bars that span the range.")
    zone_share: float = Field(0.35, gt=0, le=0.5, description="zone: share of the range at each end where trades open.")
    zone_distances_bps: Distances = Field(
        "9/30/50", description="zone: distances of the levels below the bid and above the ask."
    )
    zone_exit_percent: float = Field(
        0.4, gt=0, le=50, description="zone: profit at which the position is closed, per cent."
    )
    zone_stop_percent: float = Field(
        0.1, ge=0, le=50, description="zone: distance of the stop beyond the range, per cent."
    )
    zone_hold_minutes: float = Field(120.0, gt=0, le=10_080, description="zone: longest time a position is held.")
    zone_cooldown_minutes: float = Field(15.0, ge=0, le=10_080, description="zone: pause after a position was closed.")
    zone_max_cost: float = Field(
        1_100.0, gt=0, description="zone: entry cost in quote currency that closes the position."
    )
    zone_halt_minutes: float = Field(4_333.0, ge=0, le=100_000, description="zone: pause after the cost was exceeded.")
    zone_max_range_percent: float = Field(
        6.0, gt=0, le=100, description="zone: no opening while the range is wider than this."
    )
    zone_max_true_range_percent: float = Field(
        2.5, gt=0, le=100, description="zone: no opening after a 5m true range above this."
    )
    zone_fresh_extreme_bars: int = Field(
        17, ge=0, le=500, description="zone: no opening on a side whose extreme is this young."
    )

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.max_inventory_percent < self.order_weight_percent:
            allowed = f"order_weight_percent ({self.order_weight_percent:g}) or more"
            raise InvalidValue("max_inventory_percent", self.max_inventory_percent, allowed)
        if self.min_volatility_bars > self.volatility_bars:
            allowed = f"volatility_bars ({self.volatility_bars}) or less"
            raise InvalidValue("min_volatility_bars", self.min_volatility_bars, allowed)
        if self.spike_bars + 2 > self.min_volatility_bars:
            allowed = f"at least 2 less than min_volatility_bars ({self.min_volatility_bars})"
            raise InvalidValue("spike_bars", self.spike_bars, allowed)
        if self.zone_fresh_extreme_bars >= self.zone_bars:
            allowed = f"less than zone_bars ({self.zone_bars})"
            raise InvalidValue("zone_fresh_extreme_bars", self.zone_fresh_extreme_bars, allowed)
        if self.model == "zone" and len(self.shares) != len(self.zone_distances):
            allowed = f"{len(self.shares)} distances, as level_split_percent has levels"
            raise InvalidValue("zone_distances_bps", self.zone_distances_bps, allowed)
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the share of each level, nearest first; they add up to 1."""
        parts = _numbers("level_split_percent", self.level_split_percent)
        return tuple(part / WHOLE_PERCENT for part in parts)

    @property
    def zone_distances(self) -> tuple[float, ...]:
        """Return the distance of each zone level, nearest first, in basis points."""
        return _numbers("zone_distances_bps", self.zone_distances_bps)

    @property
    def full_units(self) -> float:
        """Return how many units (one side's quantity) full inventory is."""
        return self.max_inventory_percent / self.order_weight_percent


CANONICAL = MakerParameters()
AVELLANEDA_STOIKOV = MakerParameters(model="avellaneda_stoikov")
# The bot this began as, by intent: 1,250 and 550 dollars of range, meant for a bitcoin of about
# 21,000, become shares of the price.
ORIGINAL = MakerParameters(model="zone", order_weight_percent=10.0, max_inventory_percent=10.0)
# Nearer quotes on a short memory: fills within seconds of a lively market. For demonstrations.
FAST = MakerParameters(
    fill_decay_per_bp=0.8,
    volatility_bars=30,
    min_volatility_bars=10,
    spike_multiple=6.0,
    spike_pause_seconds=15.0,
    reprice_bps=0.5,
    level_step_half_spreads=0.5,
)
