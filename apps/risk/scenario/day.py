"""The shape of a cascade such as that of 2025-10-10: prices, books and venues for a quarter of an hour. Pure, seeded.

What is copied is what everybody could see that evening: bitcoin lost about an eighth within minutes and smaller coins
a third to four fifths; books thinned to a few hundredths; marks of different venues drifted apart; a dollar coin used
as collateral traded far below a dollar at one venue; venues answered with errors or not at all, and cut the winning
side of positions; half of it came back before long. Figures are chosen, not recorded.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from moondev.domain.errors import InvalidValue

LENGTH_SECONDS = 900
# Between two looks at the market: while it falls, and otherwise.
STEP_SECONDS, CALM_STEP_SECONDS = 5, 10
# Seconds after the start: the slide begins, the crash begins, the low, prices turn.
SLIDE, CRASH, LOW, TURN = 60, 300, 480, 540
SLID_SHARE = 0.2
RECOVERED_SHARE = 0.55
THINNEST = 0.03
CALM_SPREAD_BPS, WORST_SPREAD_BPS = 2.0, 80.0
DOLLAR_COIN = "USDE"


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin before the fall: its price, decimals of its sizes, the part of its price it may lose, its book in dollars.

    `fall` is where the seed draws from, `depth` what rests on each side of a calm book.
    """

    price: float
    size_decimals: int
    fall: tuple[float, float]
    depth: float


COINS: Mapping[str, Coin] = MappingProxyType(
    {
        "BTC": Coin(117_000.0, 5, (0.11, 0.15), 4_000_000.0),
        "ETH": Coin(4_300.0, 4, (0.16, 0.22), 2_000_000.0),
        "SOL": Coin(220.0, 2, (0.25, 0.33), 800_000.0),
        "DOGE": Coin(0.25, 0, (0.45, 0.60), 400_000.0),
        "SUI": Coin(3.4, 1, (0.60, 0.80), 200_000.0),
        DOLLAR_COIN: Coin(1.0, 1, (0.01, 0.02), 300_000.0),
    }
)
# What the dollar coin loses at the venue where it breaks.
DEPEG = 0.35


def shape(second: float) -> float:
    """Return how much of the whole fall has happened: 0 before, 1 at the low, less once prices have turned."""
    if second <= SLIDE:
        return 0.0
    if second <= CRASH:
        return SLID_SHARE * (second - SLIDE) / (CRASH - SLIDE)
    if second <= LOW:
        # Faster and faster, as forced sales feed on each other.
        gone = (second - CRASH) / (LOW - CRASH)
        return SLID_SHARE + (1 - SLID_SHARE) * gone * gone
    if second <= TURN:
        return 1.0
    back = min((second - TURN) / (LENGTH_SECONDS - TURN), 1.0)
    return 1.0 - RECOVERED_SHARE * (1 - (1 - back) ** 2)


def stress(second: float) -> float:
    """Return how bad things are, 0 to 1: what thins books, widens spreads and drives venues apart."""
    if second <= SLIDE:
        return 0.0
    if second <= LOW:
        return math.sqrt(shape(second))
    return max(0.15, 1.0 - max(second - TURN, 0.0) / 300)


@dataclass(frozen=True, slots=True)
class Outage:
    """What is wrong with a venue for a while. `kind`: "silent", "lost" (done, answer lost) or "refused" (429)."""

    venue: str
    kind: str
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Day:
    """One drawn day: what each coin loses, which venue is the weakest, and what goes wrong where and when."""

    venues: tuple[str, ...]
    falls: Mapping[str, float]
    leanings: Mapping[tuple[str, str], float]
    noise: Mapping[str, Sequence[float]]
    weakest: str
    outages: tuple[Outage, ...]
    deleveraged_at: int

    @classmethod
    def drawn(cls, venues: Sequence[str], seed: int) -> Day:
        """Return the day of `seed`. Raises InvalidValue for no venue, or one named twice."""
        if not venues or len(set(venues)) != len(venues):
            raise InvalidValue("venues", ",".join(venues), "at least one, each once")
        chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        falls = {coin: chance.uniform(*facts.fall) for coin, facts in COINS.items()}
        weakest = chance.choice(list(venues))
        leanings = {
            (venue, coin): chance.uniform(0.04, 0.09) if venue == weakest else chance.uniform(-0.02, 0.02)
            for venue in venues
            for coin in COINS
        }
        steps = LENGTH_SECONDS // STEP_SECONDS + 1
        noise = {coin: [chance.gauss(0.0, 1.0) for _ in range(steps)] for coin in COINS}
        outages = tuple(_outages(venues, weakest, chance))
        return cls(tuple(venues), falls, leanings, noise, weakest, outages, LOW - chance.randrange(0, 60, STEP_SECONDS))

    def price(self, venue: str, coin: str, second: float) -> float:
        """Return the venue's own mark of a coin."""
        tension, fall = stress(second), self.falls[coin] * shape(second)
        if coin == DOLLAR_COIN:
            fall = max(fall, DEPEG * tension**2 if venue == self.weakest and second > CRASH else 0.0)
            return COINS[coin].price * (1 - fall)
        apart = self.leanings[venue, coin] * tension**2
        jitter = self.noise[coin][round(second) // STEP_SECONDS] * (0.0003 + 0.004 * tension)
        return COINS[coin].price * max((1 - fall) * (1 - apart) * (1 + jitter), 0.01)

    def middle(self, coin: str, second: float) -> float:
        """Return what most of the world pays for a coin, venues' differences left out."""
        return COINS[coin].price * (1 - self.falls[coin] * shape(second))

    def wrong(self, venue: str, second: float) -> frozenset[str]:
        """Return what is wrong with a venue now."""
        return frozenset(o.kind for o in self.outages if o.venue == venue and o.begins <= second < o.ends)


def seconds() -> list[int]:
    """Return the seconds at which something happens."""
    calm = range(0, LENGTH_SECONDS + 1, CALM_STEP_SECONDS)
    return sorted({*calm, *range(CRASH, TURN + 60, STEP_SECONDS)})


def depth(coin: str, second: float) -> float:
    """Return the dollars that rest on each side of a book."""
    return COINS[coin].depth * (1 - (1 - THINNEST) * stress(second))


def spread_bps(second: float) -> float:
    """Return the distance between best bid and best ask, in basis points of the middle."""
    return CALM_SPREAD_BPS + (WORST_SPREAD_BPS - CALM_SPREAD_BPS) * stress(second)


def _outages(venues: Sequence[str], weakest: str, chance: random.Random) -> list[Outage]:
    """Draw what goes wrong: the weakest venue is silent in the crash and loses answers; others stumble."""
    silent = CRASH + chance.randrange(40, 100, STEP_SECONDS)
    found = [
        Outage(weakest, "silent", silent, silent + 60),
        Outage(weakest, "lost", silent + 60, silent + 90),
    ]
    for venue in venues:
        if venue == weakest:
            continue
        begins = CRASH + chance.randrange(60, 180, STEP_SECONDS)
        kind = chance.choice(["silent", "lost", "refused"])
        found.append(Outage(venue, kind, begins, begins + chance.randrange(10, 30, STEP_SECONDS)))
    return found
