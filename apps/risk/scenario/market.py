"""One venue of the scenario: the mock exchange's engine, with its books quoted as the day says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from apps.exchanges.mock.engine.api import Filled, InstrumentSpec, NewOrder, Tif
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.faults import FaultBook, FaultKind, FaultRule
from apps.risk.scenario.day import COINS, Day, depth, spread_bps
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

# Prices of each side of a book, farther and farther apart; each holds the same part of the depth.
LEVELS = 6
MAX_LEVERAGE = 20
# What a fault of the day is at the mock exchange.
FAULTS: Mapping[str, FaultKind] = {
    "silent": FaultKind.ERROR_5XX,
    "lost": FaultKind.ACCEPT_THEN_DROP,
    "refused": FaultKind.RATE_LIMIT,
}


def specs() -> tuple[InstrumentSpec, ...]:
    """Return the instruments every venue of the scenario lists."""
    return tuple(
        InstrumentSpec(coin, number, facts.size_decimals, MAX_LEVERAGE)
        for number, (coin, facts) in enumerate(COINS.items())
    )


class ScenarioVenue:
    """A market that does what its day says, one step at a time."""

    def __init__(self, code: str, day: Day, clock: Clock, seed: int) -> None:
        """Open the market at the first second of the day."""
        self.code, self._day = code, day
        listed = specs()
        marks = {spec.coin: Decimal(str(COINS[spec.coin].price)) for spec in listed}
        self.exchange = Exchange(listed, clock, marks)
        self.faults = FaultBook(seed)
        self._quotes: list[Order] = []
        # Orders that the venue placed for an account, to cut the winning side.
        self.forced: set[int] = set()
        self.step(0)

    def step(self, second: int) -> None:
        """Let the market be what the day says: marks, books, and what is wrong with the venue."""
        house = self.exchange.house()
        for order in self._quotes:
            if order.remaining:
                house.withdraw(order)
        self._quotes = []
        for market in house.markets():
            price = self._day.price(self.code, market.coin, second)
            self._quote(market.coin, price, second)
            self._move(market.coin, price, second)
        self.faults.clear()
        for kind in sorted(self._day.wrong(self.code, second)):
            self.faults.add(FaultRule(FAULTS[kind], self.code))

    def grant(self, address: str, coin: str, size: Decimal) -> None:
        """Give an account a position at the mark, long above zero and short below; the market takes the other side."""
        self._trade(address, coin, abs(size), buys=size > 0, reduces=False)

    def deleverage(self, address: str) -> list[str]:
        """Cut every winning position of an account in half, as venues do whose insurance has run dry; say what."""
        cut = []
        lots = {spec.coin: spec.lot for spec in self.exchange.specs()}
        for position in self.exchange.account_state(address).positions:
            size = abs(position.size) / 2 // lots[position.coin] * lots[position.coin]
            if position.unrealised_pnl <= 0 or not size:
                continue
            self.forced.add(self._trade(address, position.coin, size, buys=position.size < 0, reduces=True))
            cut.append(f"{size.normalize():f} {position.coin}")
        return cut

    def _trade(self, address: str, coin: str, size: Decimal, *, buys: bool, reduces: bool) -> int:
        """Let an account trade with the house at the mark; return the order's id."""
        house = self.exchange.house()
        market = house.market(coin)
        units = market.grid.size_units(size)
        if not units:
            raise InvalidValue("size", size, f"above 0 with at most {market.spec.sz_decimals} decimals")
        maker = house.quote(market, market.mark, units, is_buy=not buys)
        self._quotes += [maker] if maker is not None else []
        order = NewOrder(coin, buys, size, market.grid.price(market.mark), Tif.IOC, reduce_only=reduces)
        (ack,) = self.exchange.place(address, [order])
        if not isinstance(ack, Filled):
            raise InvalidValue("position", f"{size} {coin}", f"what the account's money carries ({ack})")
        return ack.oid

    def _quote(self, coin: str, price: float, second: int) -> None:
        house = self.exchange.house()
        market, half = house.market(coin), spread_bps(second) / 20_000
        size = max(1, round(depth(coin, second) / LEVELS / price * market.grid.size_unit))
        for level in range(LEVELS):
            away = half * (1 + 3 * level)
            for is_buy in (True, False):
                units = market.grid.nearest(price * (1 - away if is_buy else 1 + away))
                order = house.quote(market, units, size, is_buy=is_buy)
                if order is not None:
                    self._quotes.append(order)

    def _move(self, coin: str, price: float, second: int) -> None:
        house = self.exchange.house()
        market = house.market(coin)
        market.last = market.grid.nearest(price)
        oracle = market.grid.nearest(self._day.middle(coin, second))
        house.set_mark(market, market.last, oracle)
