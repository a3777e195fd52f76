"""Hourly funding.

The venue's formula
(https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding): the eight-hour rate is the
premium averaged over the hour plus clamp(interest - premium, -0.05 %, +0.05 %) with an interest of
0.01 %; an eighth of it is paid every hour on size x oracle price. The premium compares what an
impact notional would trade at with the oracle.
"""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import FundingPayment, FundingRate
from apps.exchanges.mock.engine.book import BookSide
from apps.exchanges.mock.engine.events import FundingPaid
from apps.exchanges.mock.engine.grid import divided, money
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.venue import Venue

HOUR_MS = 3_600_000
SAMPLE_MS = 5_000
_INTEREST = 0.0001
_CLAMP = 0.0005
_HOURS_IN_RATE = 8
_CAP_PER_HOUR = 0.04
_IMPACT_NOTIONAL = 20_000 * 1_000_000
# Rates are kept to ten decimals, so that a payment is one multiplication of whole numbers.
_RATE_DECIMALS = 10
_RATE_UNIT = 10**_RATE_DECIMALS


def hourly_rate(premium: float) -> float:
    """Return the rate per hour for an average `premium`, both fractions."""
    offset = min(max(_INTEREST - premium, -_CLAMP), _CLAMP)
    rate = (premium + offset) / _HOURS_IN_RATE
    return min(max(rate, -_CAP_PER_HOUR), _CAP_PER_HOUR)


def impact_px(side: BookSide) -> float | None:
    """Return the average price at which the impact notional would trade, None on a thin book."""
    money_left, size = _IMPACT_NOTIONAL, 0.0
    for level in side:
        worth = level.size * level.px
        if worth >= money_left:
            size += money_left / level.px
            return _IMPACT_NOTIONAL / size
        money_left -= worth
        size += level.size
    return None


def premium_of(market: Market) -> float:
    """Return the premium of the book over the oracle now, as a fraction."""
    bid, ask = impact_px(market.book.bids), impact_px(market.book.asks)
    if bid is None or ask is None:
        return 0.0
    return (max(bid - market.oracle, 0.0) - max(market.oracle - ask, 0.0)) / market.oracle


class Funding:
    """Samples premiums and pays at every full hour."""

    __slots__ = ("_next_pay_ms", "_next_sample_ms", "_venue")

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.restart()

    def restart(self) -> None:
        """Begin with the hour that is running."""
        self._next_sample_ms = now_ms = self._venue.now_ms
        self._next_pay_ms = now_ms - now_ms % HOUR_MS + HOUR_MS

    def advance(self) -> None:
        """Do what is due by now. Hours that were slept through are paid at the rate of the first."""
        now_ms = self._venue.now_ms
        if now_ms >= self._next_sample_ms:
            self._next_sample_ms = now_ms + SAMPLE_MS
            for market in self._venue.perps():
                market.premium_sum += premium_of(market)
                market.premium_count += 1
        while now_ms >= self._next_pay_ms:
            self.pay(self._next_pay_ms)
            self._next_pay_ms += HOUR_MS

    def pay(self, hour_ms: int) -> None:
        """Pay in every market, as of `hour_ms`."""
        for market in self._venue.perps():
            self._pay(market, hour_ms)

    def expected(self, market: Market) -> tuple[Decimal, Decimal]:
        """Return the hourly rate and the average premium of the hour so far."""
        premium = market.premium_sum / market.premium_count if market.premium_count else 0.0
        return _rate(hourly_rate(premium)), _rate(premium)

    def _pay(self, market: Market, hour_ms: int) -> None:
        rate, premium = self.expected(market)
        market.premium_sum, market.premium_count = 0.0, 0
        market.rates.append(FundingRate(market.coin, hour_ms, rate, premium))
        units = int(rate * _RATE_UNIT)
        for account in market.holders.values():
            position = account.positions[market.coin]
            paid = divided(position.size * market.oracle * units, _RATE_UNIT)
            account.cash -= paid
            account.funding_paid += paid
            position.funding += paid
            position.margin -= paid if market.coin in account.isolated else 0
            self._venue.funding_collected += paid
            if account.house:
                continue
            payment = FundingPayment(market.coin, hour_ms, money(paid), market.grid.size(position.size), rate)
            account.payments.append(payment)
            self._venue.outbox.add(FundingPaid(account.address, payment))


def _rate(fraction: float) -> Decimal:
    return Decimal(round(fraction * _RATE_UNIT)).scaleb(-_RATE_DECIMALS)
