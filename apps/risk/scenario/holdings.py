"""What is held when the day begins: given in words, or taken from the present books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.models import Account, EquityMark, Position
from apps.risk.scenario.day import COINS
from moondev.domain.errors import InvalidValue
from moondev.domain.values import ZERO, finite_decimal

EQUITY = Decimal(100_000)
# At each venue: long what falls, short a little, a dollar coin as if it were a dollar, and room for more bitcoin.
USUAL = ("BTC=6000", "ETH=60000", "SOL=40000", "SUI=25000", "DOGE=-20000", "USDE=20000")


@dataclass(frozen=True, slots=True)
class Stake:
    """A position when the day begins; `notional` in the account's currency, below zero for a short."""

    venue: str
    coin: str
    notional: Decimal


@dataclass(frozen=True, slots=True)
class Holdings:
    """Money by venue, and positions."""

    equity: dict[str, Decimal]
    stakes: tuple[Stake, ...]


def usual(venues: Sequence[str]) -> Holdings:
    """Return a portfolio for who names none: the same at every venue."""
    stakes = [parse_stake(f"{venue}:{text}") for venue in venues for text in USUAL]
    return Holdings(dict.fromkeys(venues, EQUITY), tuple(stakes))


def parse_stake(text: str) -> Stake:
    """Return the position that ``venue:COIN=notional`` names. Raises InvalidValue that says what is allowed."""
    place, _, amount = text.partition("=")
    venue, _, coin = place.partition(":")
    if not venue or coin not in COINS or not amount:
        raise InvalidValue("hold", text, f"venue:COIN=notional with a coin of {', '.join(COINS)}")
    notional = finite_decimal("hold", amount)
    if notional == 0:
        raise InvalidValue("hold", text, "a notional other than 0")
    return Stake(venue, coin, notional)


def given(venues: Sequence[str], equity: Decimal, texts: Iterable[str]) -> Holdings:
    """Return the portfolio of options: the same money everywhere, and the named positions."""
    stakes = tuple(parse_stake(text) for text in texts)
    strangers = sorted({stake.venue for stake in stakes} - set(venues))
    if strangers:
        raise InvalidValue("hold", strangers[0], f"a venue of the scenario: {', '.join(venues)}")
    if equity <= 0:
        raise InvalidValue("equity", equity, "above 0")
    return Holdings(dict.fromkeys(venues, equity), stakes or usual(venues).stakes)


def present() -> Holdings:
    """Return what is held now, at what it cost, with each venue's latest equity; coins the day does not know are BTC.

    Raises InvalidValue when nothing is known of any account.
    """
    equity: dict[str, Decimal] = {}
    for account in Account.objects.filter(enabled=True).order_by("pk"):
        mark = EquityMark.objects.filter(account=account).order_by("-taken_at").first()
        if mark is not None and mark.venue_equity > 0:
            equity[account.venue_id] = equity.get(account.venue_id, ZERO) + mark.venue_equity
    if not equity:
        raise InvalidValue("books", "no account with an equity", "books of accounts that the guard has marked")
    rows = Position.objects.exclude(cost=0).values_list("account__venue_id", "instrument__asset", "cost")
    sums: dict[tuple[str, str], Decimal] = {}
    for venue, asset, cost in rows:
        if venue in equity:
            key = (venue, asset if asset in COINS else "BTC")
            sums[key] = sums.get(key, ZERO) + cost
    stakes = tuple(Stake(venue, coin, cost) for (venue, coin), cost in sorted(sums.items()) if cost)
    return Holdings(equity, stakes)
