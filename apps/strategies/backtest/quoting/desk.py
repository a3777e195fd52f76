"""Our side: the live tick over what has been heard, woken as the platform would wake it.

What a strategy wants is decided, sized, planned and reviewed by the very functions of the live tick; only what is
read (ears on tapes instead of streams) and what is written (messages with a delay instead of senders) differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np

from apps.strategies.backtest.quoting.bars import HeardBars
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.funding import Payments
from apps.strategies.backtest.quoting.house import moment
from apps.strategies.backtest.quoting.knowledge import Knowledge
from apps.strategies.backtest.quoting.latency import nanoseconds
from apps.strategies.backtest.quoting.setting import QuoteSetting
from apps.strategies.backtest.quoting.told import Fill, Refused, Told
from apps.strategies.backtest.replaying.purse import Purse, limits_of, scope_of
from apps.strategies.backtest.replaying.refusals import Refusals
from apps.strategies.backtest.replaying.ticker import FAILURES_THAT_END, reason_of, targets_of
from apps.strategies.base import OwnPosition
from apps.strategies.models import StrategyRow, Tick
from apps.strategies.orchestrator.decide import decide
from apps.strategies.orchestrator.load import strategy_equity
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.orchestrator.sizes import KnownSize, SignalKey
from apps.strategies.orchestrator.stages import make_ready
from apps.strategies.orchestrator.work import Failed, Ready, Work
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book, InstrumentView, MarketView, Needs
from moondev.domain.orders import OrderRequest, PlaceOrder
from moondev.domain.values import Price


class Desk:
    """One strategy at its desk; a `Trader` for the session."""

    def __init__(
        self, loaded: Loaded, setting: QuoteSetting, tables: Mapping[str, Tables], ears: Mapping[str, Ear]
    ) -> None:
        """Sit down. Raises InvalidValue when the setting lacks what the strategy looks at."""
        self._loaded, self._setting, self._ears = loaded, setting, ears
        self._instruments = setting.instruments
        self._needs = loaded.strategy.needs(loaded.parameters, tuple(self._instruments.values()))
        _require_there(self._needs, setting)
        self._bars = {
            market.key: HeardBars(tables[market.key], ears[market.key], self._needs.bars, market.before)
            for market in setting.markets
            if self._needs.bars
        }
        self._closes = (
            np.unique(np.concatenate([bars.closes_ns for bars in self._bars.values()])) if self._bars else None
        )
        self._scope = scope_of(setting, loaded.strategy.name)
        self.purse = Purse(self._scope, limits_of(setting))
        self._row = StrategyRow(
            slug=loaded.strategy.name, reprice_bps=setting.reprice_bps, slippage_bps=setting.slippage_bps, state={}
        )
        self._tick = Tick(pk=0, strategy=self._row)
        self._ids = {key: number for number, key in enumerate(self._instruments)}
        self._known: dict[SignalKey, KnownSize] = {}
        self._failed_in_a_row = 0
        self.payments = {m.key: Payments(m.costs.funding, self._ears[m.key].starts_ns) for m in setting.markets}
        self.knowledge = Knowledge()
        self.reasons: dict[UUID, str] = {}
        self.refusals, self.failures = Refusals(), Refusals()

    @property
    def ticks(self) -> int:
        """Return how many ticks there were."""
        return int(self._tick.pk)

    def next_wake(self, now_ns: int) -> int | None:
        """Return the next moment of the cadence, or when the next bar is closed for us."""
        if self._setting.every is not None:
            step = nanoseconds(self._setting.every)
            return (now_ns // step + 1) * step
        if self._closes is None:
            raise InvalidValue("every", None, f"a time, for {self._loaded.strategy.name} looks at no bars")
        row = int(np.searchsorted(self._closes, now_ns, side="right"))
        return int(self._closes[row]) if row < len(self._closes) else None

    def hear(self, told: Told) -> bool:
        """Take note of an answer; a fill makes a tick at once, as it does live."""
        self.knowledge.hear(told)
        if isinstance(told, Refused):
            code = told.reason.partition(":")[0]
            self.refusals.add(f"venue: {code}", moment(told.at_ns), f"{told.instrument}: {told.reason}")
        return isinstance(told, Fill)

    def wake(self, now_ns: int) -> Sequence[OrderRequest]:
        """Run one tick; return what is to be sent. Raises InvalidValue for a strategy that fails again and again."""
        self._tick.pk += 1
        decided = decide(self._work(now_ns))
        ready = decided if isinstance(decided, Failed) else make_ready(decided, self._known)
        if isinstance(ready, Failed):
            self._fail(ready, now_ns)
            return ()
        self._failed_in_a_row = 0
        return self._send(ready, now_ns)

    def _work(self, now_ns: int) -> Work:
        now, keys = moment(now_ns), tuple(self._instruments)
        books = {key: self._ears[key].book(now_ns, self._setting.depth) for key in keys}
        prices = {key: None if book is None else Price(Decimal(repr(book.mid))) for key, book in books.items()}
        self._pay(prices, now_ns)
        ages = {key: self._age(key, now_ns) for key in keys}
        holdings = {key: self.knowledge.holding(key) for key in keys}
        equity = strategy_equity(self._scope.capital, holdings, prices)
        return Work(
            tick=self._tick,
            loaded=self._loaded,
            scope=self._scope,
            instruments=self._instruments,
            instrument_ids=self._ids,
            view=MarketView(now, {key: self._seen(key, books[key], ages[key], now_ns) for key in keys}),
            ages=ages,
            prices=prices,
            books=books,
            own=OwnPosition(holdings, float(equity), float(self._scope.leverage)),
            holdings=holdings,
            account_net={},
            working=tuple(self.knowledge.working.values()),
            facts=self.purse.facts(equity),
        )

    def _seen(self, key: str, book: Book | None, age: timedelta, now_ns: int) -> InstrumentView:
        heard = {
            length: window
            for length, count in self._needs.bars.items()
            if (window := self._bars[key].window(length, count, now_ns)) is not None
        }
        return InstrumentView(
            bars=heard,
            book=book if self._needs.book else None,
            mark_price=None if book is None else book.mid,
            age=age,
            funding_rate=self.payments[key].rate_per_hour(now_ns),
        )

    def _age(self, key: str, now_ns: int) -> timedelta:
        newest = self._ears[key].newest_ns(now_ns)
        return timedelta.max if newest is None else timedelta(microseconds=(now_ns - newest) / 1_000)

    def _pay(self, prices: Mapping[str, Price | None], now_ns: int) -> None:
        for key, payments in self.payments.items():
            price, held = prices[key], self.knowledge.holding(key).quantity
            if price is not None and (paid := payments.due(held, price.value, now_ns)):
                self.knowledge.fund(key, paid)

    def _fail(self, failed: Failed, now_ns: int) -> None:
        self.failures.add(failed.kind, moment(now_ns), failed.message)
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= FAILURES_THAT_END:
            told = f"{self._row.slug} failed {self._failed_in_a_row} times in a row: {failed.message}"
            raise InvalidValue("strategy", told, "one that decides")

    def _send(self, ready: Ready, now_ns: int) -> list[OrderRequest]:
        """Do what recording and sending do live: keep sizes and state, and let the requests go."""
        decision = ready.decided.decision
        self._row.state = json.loads(json.dumps(dict(decision.state)))
        for size in ready.sizes:
            key = SignalKey(self._row.slug, self._ids[size.instrument], size.side, size.signal_id)
            self._known[key] = KnownSize(size.weight, size.quantity, moment(now_ns))
        for refusal in ready.reviewed.refused:
            self.refusals.add(refusal.code, moment(now_ns), f"{refusal.request.instrument}: {refusal}")
        reasons = {target.instrument: target.reason for target in targets_of(decision.desired)}
        requests: list[OrderRequest] = [*ready.reviewed.cancels, *(one.request for one in ready.reviewed.approved)]
        for request in requests:
            self.knowledge.sent(request)
            if isinstance(request, PlaceOrder):
                self.reasons[request.client_order_id] = reason_of(request, reasons)
        return requests


def _require_there(needs: Needs, setting: QuoteSetting) -> None:
    missing = sorted(set(needs.instruments) - set(setting.instruments))
    if missing:
        allowed = f"also {', '.join(missing)}: the strategy looks there"
        raise InvalidValue("markets", ", ".join(setting.instruments), allowed)
