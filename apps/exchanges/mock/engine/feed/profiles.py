"""How each coin behaves: its rules, its price, its spread, its depth, its trades.

Decimals and leverage follow the venue's own list; prices and volatilities are typical values of
2025, not quotations. A coin without an entry gets the behaviour of a small one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.grid import Grid
from moondev.domain.errors import InvalidValue

MAX_COINS = 200


@dataclass(frozen=True, slots=True)
class Profile:
    """One coin. `volatility` per year as a fraction; notionals in quote currency.

    `spread_bps` is the calm spread between best bid and ask, `depth_notional` what rests at the
    best price, `trade_notional` the median trade.
    """

    coin: str
    sz_decimals: int
    max_leverage: int
    price: float
    volatility: float
    spread_bps: float
    depth_notional: float
    trade_notional: float

    def spec(self, asset_id: int) -> InstrumentSpec:
        """Return the instrument's rules."""
        return InstrumentSpec(self.coin, asset_id, self.sz_decimals, self.max_leverage)


_KNOWN = (
    Profile("BTC", 5, 40, 100_000.0, 0.50, 0.6, 120_000.0, 2_500.0),
    Profile("ETH", 4, 25, 3_500.0, 0.65, 0.7, 80_000.0, 1_800.0),
    Profile("SOL", 2, 20, 180.0, 0.80, 0.9, 40_000.0, 1_200.0),
    Profile("XRP", 0, 20, 2.5, 0.85, 1.0, 25_000.0, 900.0),
    Profile("DOGE", 0, 10, 0.2, 0.95, 1.2, 20_000.0, 700.0),
    Profile("ADA", 0, 10, 0.75, 0.90, 1.4, 15_000.0, 600.0),
    Profile("AVAX", 2, 10, 25.0, 0.95, 1.5, 15_000.0, 600.0),
    Profile("LINK", 1, 10, 16.0, 0.90, 1.4, 15_000.0, 600.0),
    Profile("DOT", 1, 10, 4.2, 0.90, 1.7, 12_000.0, 500.0),
    Profile("UNI", 1, 10, 8.0, 1.00, 1.8, 12_000.0, 500.0),
    Profile("LTC", 2, 10, 95.0, 0.80, 1.5, 15_000.0, 600.0),
    Profile("DYDX", 1, 5, 0.65, 1.10, 2.5, 8_000.0, 400.0),
    Profile("BNB", 3, 10, 650.0, 0.60, 1.2, 20_000.0, 800.0),
    Profile("BCH", 3, 10, 450.0, 0.80, 1.6, 12_000.0, 500.0),
    Profile("NEAR", 1, 10, 2.8, 1.00, 2.0, 10_000.0, 400.0),
    Profile("ARB", 1, 10, 0.45, 1.10, 2.2, 10_000.0, 400.0),
    Profile("OP", 1, 10, 0.80, 1.10, 2.2, 10_000.0, 400.0),
    Profile("SUI", 1, 10, 3.2, 1.05, 1.6, 15_000.0, 600.0),
    Profile("APT", 2, 10, 5.0, 1.05, 2.0, 10_000.0, 400.0),
    Profile("ATOM", 2, 5, 4.5, 0.95, 2.2, 8_000.0, 400.0),
)


def profile_of(coin: str) -> Profile:
    """Return how `coin` behaves. Raises InvalidValue for a name that is not a symbol."""
    if not (coin.isascii() and coin.isalnum() and 1 <= len(coin) <= 12):
        raise InvalidValue("coin", coin, "1 to 12 letters and digits, e.g. BTC")
    for known in _KNOWN:
        if known.coin == coin:
            return known
    return Profile(coin, 1, 5, 10.0, 1.0, 2.5, 8_000.0, 400.0)


def is_known(coin: str) -> bool:
    """Return whether the venue's own rules for `coin` are known."""
    return any(known.coin == coin for known in _KNOWN)


def profiles(coins: Sequence[str]) -> tuple[Profile, ...]:
    """Return the profiles of `coins`. Raises InvalidValue for none, too many or doubled ones."""
    if not 1 <= len(coins) <= MAX_COINS:
        raise InvalidValue("coins", len(coins), f"1 to {MAX_COINS} coins")
    if len(set(coins)) != len(coins):
        raise InvalidValue("coins", ",".join(coins), "each coin once")
    return tuple(profile_of(coin) for coin in coins)


def default_coins(count: int) -> tuple[str, ...]:
    """Return `count` coin names: the known ones first, then made-up ones."""
    names = [known.coin for known in _KNOWN]
    names += [f"COIN{number:03d}" for number in range(len(names) + 1, count + 1)]
    return tuple(names[:count])


def opening_mark(profile: Profile, price: float) -> Decimal:
    """Return `price` on the coin's grid."""
    grid = Grid.of(profile.spec(0))
    return grid.price(grid.nearest(price))
