"""What can be traded, and on which grid of prices and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import Enum

from moondev.domain.errors import InvalidValue
from moondev.domain.values import Money, Price, Quantity, Side

# What one look at a market sends of an exit that is larger than the venue takes at once; the next look goes on.
MOST_MARKET_PARTS = 20


class Rounding(Enum):
    """Which way a price goes to reach the grid."""

    DOWN = ROUND_FLOOR
    UP = ROUND_CEILING
    NEAREST = ROUND_HALF_EVEN

    @classmethod
    def passive(cls, side: Side) -> Rounding:
        """Return the rounding that never makes an order more aggressive."""
        return cls.DOWN if side is Side.BUY else cls.UP

    @classmethod
    def aggressive(cls, side: Side) -> Rounding:
        """Return the rounding that never makes an order less aggressive."""
        return cls.UP if side is Side.BUY else cls.DOWN


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """Prices a venue accepts: multiples of `tick`, with at most `significant_figures` of them.

    `significant_figures` None means no such rule. Integers pass the rule of figures always, as
    Hyperliquid defines it.
    """

    tick: Decimal
    significant_figures: int | None = None

    def __post_init__(self) -> None:
        """Refuse a tick or a number of figures that is not above zero."""
        if not self.tick > 0:
            raise InvalidValue("tick", self.tick, "a number above 0")
        if self.significant_figures is not None and self.significant_figures < 1:
            raise InvalidValue("significant_figures", self.significant_figures, "1 or more")

    def step_at(self, price: Decimal) -> Decimal:
        """Return the distance between neighbouring prices around `price`."""
        if self.significant_figures is None:
            return self.tick
        by_figures = Decimal(1).scaleb(price.adjusted() - self.significant_figures + 1)
        return max(self.tick, min(by_figures, Decimal(1)))

    def rounded(self, price: Decimal, rounding: Rounding) -> Price:
        """Return the grid price next to `price`. Raises InvalidValue when that is not above 0."""
        step = self.step_at(price)
        return Price((price / step).to_integral_value(rounding=rounding.value) * step)

    def holds(self, price: Price) -> bool:
        """Return whether `price` lies on the grid."""
        return price.value % self.step_at(price.value) == 0


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing at one venue, with the venue's rules.

    `max_market_quantity` is the most that one order at the market may ask for; None where the venue sets no such limit.
    `symbol` is the venue's own name; `asset` the base coin by which exposure is added up across
    venues; `quote` the currency in which price, fee and profit are counted.
    """

    venue: str
    symbol: str
    asset: str
    quote: str
    price_grid: PriceGrid
    lot: Quantity
    min_notional: Money
    max_leverage: int = 1
    max_market_quantity: Quantity | None = None

    def __post_init__(self) -> None:
        """Refuse a zero lot, a minimum notional in another currency and a largest order below the smallest."""
        if not self.lot:
            raise InvalidValue("lot", self.lot.value, "a number above 0")
        if self.min_notional.currency != self.quote:
            raise InvalidValue("min_notional", str(self.min_notional), f"an amount of {self.quote}")
        if self.max_market_quantity is not None and self.max_market_quantity < self.lot:
            raise InvalidValue(
                "max_market_quantity", self.max_market_quantity.value, f"one lot ({self.lot.value}) or more"
            )

    @property
    def key(self) -> str:
        """Return the name that is unique over all venues, e.g. ``hyperliquid:BTC``."""
        return f"{self.venue}:{self.symbol}"

    def notional(self, quantity: Quantity, price: Price) -> Money:
        """Return the worth of `quantity` at `price` in the quote currency."""
        return quantity.at(price, self.quote)

    def market_parts(self, quantity: Quantity) -> tuple[Quantity, ...]:
        """Return `quantity`, a number of lots, as market orders that the venue takes: as few, as equal as can be.

        At most MOST_MARKET_PARTS of them; what is left over then is for another time.
        """
        return market_parts(quantity, self.lot, self.max_market_quantity)

    def tradable(self, quantity: Quantity, price: Price) -> bool:
        """Return whether `quantity` is at least one lot and the minimum notional at `price`."""
        return quantity >= self.lot and self.notional(quantity, price).value >= self.min_notional.value


def market_parts(quantity: Quantity, lot: Quantity, most: Quantity | None) -> tuple[Quantity, ...]:
    """Return `quantity`, a number of lots, as orders of at most `most` (None: any size): as few, as equal as can be.

    At most MOST_MARKET_PARTS of them; what is left over then is for another time.
    """
    if most is None or quantity <= most:
        return (quantity,)
    most_lots, lots = int(most.value // lot.value), int(quantity.value // lot.value)
    count = min(-(-lots // most_lots), MOST_MARKET_PARTS)
    even, over = divmod(min(lots, count * most_lots), count)
    return tuple(Quantity(lot.value * (even + (place < over))) for place in range(count))
