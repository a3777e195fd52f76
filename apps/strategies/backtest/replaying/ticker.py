"""One tick of the replay: the live tick with nothing in it replaced but where it reads and where it writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from apps.risk.models import LimitKind
from apps.risk.sizing.kelly import TradeRecord
from apps.risk.sizing.rule import SizingRule
from apps.strategies.backtest.brackets import STOP, TARGET
from apps.strategies.backtest.replaying.books import book_around
from apps.strategies.backtest.replaying.orders import MATCHED, standing
from apps.strategies.backtest.replaying.purse import Purse, scope_of
from apps.strategies.backtest.replaying.refusals import Refusals
from apps.strategies.backtest.replaying.tracks import Track
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import OwnPosition
from apps.strategies.models import StrategyRow, Tick
from apps.strategies.orchestrator.decide import decide
from apps.strategies.orchestrator.load import size_allowed, strategy_equity
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.orchestrator.sizes import KnownSize, SignalKey
from apps.strategies.orchestrator.stages import make_ready
from apps.strategies.orchestrator.work import Failed, NewSize, Ready, Work
from moondev.domain.clock import FixedClock, milliseconds
from moondev.domain.desired import Desired, Legs, Quotes, Target
from moondev.domain.errors import InvalidValue, Invariant
from moondev.domain.market_data import BarSeries, Book, InstrumentView, MarketView, Needs
from moondev.domain.orders import OrderType, PlaceOrder, Purpose

# A strategy that fails so often in a row is broken; a report of what it did not do would mislead.
FAILURES_THAT_END = 20
QUOTE = "quote"
# No strategy takes so long: what a busy machine does to the clock on the wall must not show in a result.
PATIENCE_SECONDS = 60.0
# Remarks that differ in their numbers alone are one.
NUMBERS = re.compile(r"[-+]?\d[\d.,:eE+-]*")
# An entry at a limit is sized by its own price: a little more or less than the newest one gives.
ROUNDING = 0.95


class Ticker:
    """Decides, sizes, plans and reviews with what the tracks show, and puts what is approved on them."""

    def __init__(
        self,
        loaded: Loaded,
        setting: Setting,
        needs: Needs,
        tracks: Mapping[str, Track],
        clock: FixedClock,
        limits: Mapping[LimitKind, Decimal],
    ) -> None:
        """Tick for `loaded` as a strategy of its own name."""
        self._loaded, self._needs, self._tracks, self._clock = loaded, needs, tracks, clock
        self._scope = scope_of(setting, loaded.strategy.name)
        self.purse = Purse(self._scope, limits, setting.sizing)
        self._row = StrategyRow(
            slug=loaded.strategy.name, reprice_bps=setting.reprice_bps, slippage_bps=setting.slippage_bps, state={}
        )
        self._tick = Tick(pk=0, strategy=self._row)
        self._instruments = MappingProxyType({key: track.instrument for key, track in tracks.items()})
        self._ids = {key: number for number, key in enumerate(tracks)}
        self._known: dict[SignalKey, KnownSize] = {}
        self._failed_in_a_row = 0
        self.refusals, self.failures, self.remarks = Refusals(), Refusals(), Refusals()
        self.quoted = False
        self.sizes = self.cut_sizes = 0
        self.idle = self.settled = False

    def tick(self) -> None:
        """Run one tick now. Raises InvalidValue for a strategy that fails again and again."""
        self._tick.pk += 1
        decided = decide(self._work(), PATIENCE_SECONDS)
        ready = decided if isinstance(decided, Failed) else make_ready(decided, self._known)
        if isinstance(ready, Failed):
            self._fail(ready)
            return
        self._failed_in_a_row = 0
        self._apply(ready)

    def _work(self) -> Work:
        now = self._clock.now()
        prices = {key: track.price_value for key, track in self._tracks.items()}
        holdings = {key: track.paid_up for key, track in self._tracks.items()}
        equity = strategy_equity(self._scope.capital, holdings, prices)
        books = {key: book_around(track, now) for key, track in self._tracks.items()}
        now_ms = milliseconds(now)
        ages = {key: track.age(now_ms) for key, track in self._tracks.items()}
        self.purse.trades = self._trades()
        facts = self.purse.facts(equity)
        size = size_allowed(facts, float(equity), self._markets(facts.sizing), now)
        return Work(
            tick=self._tick,
            loaded=self._loaded,
            scope=self._scope,
            instruments=self._instruments,
            instrument_ids=self._ids,
            view=MarketView(
                now, {key: self._seen(track, books[key], ages[key]) for key, track in self._tracks.items()}
            ),
            ages=ages,
            prices=prices,
            books=books,
            own=OwnPosition(holdings, float(equity), size.told),
            holdings=holdings,
            account_net={},
            working=tuple(order.order for track in self._tracks.values() for order in track.orders.values()),
            facts=facts,
            allowed=size,
        )

    def _markets(self, rule: SizingRule) -> Iterator[BarSeries]:
        """Yield the bars that the sizing rule looks at, as far as they have closed."""
        for interval, count in rule.needs.items():
            for track in self._tracks.values():
                yield track.history.window(interval, track.row, count)

    def _trades(self) -> TradeRecord:
        """Return the record with the trades that have ended since the last tick."""
        record = self.purse.trades
        for track in self._tracks.values():
            for one in track.trades.taken():
                record = record.after(one)
        return record

    def _seen(self, track: Track, book: Book | None, age: timedelta) -> InstrumentView:
        windows = {length: track.history.window(length, track.row, count) for length, count in self._needs.bars.items()}
        return InstrumentView(
            bars={length: window for length, window in windows.items() if len(window)},
            book=book if self._needs.book else None,
            mark_price=track.price,
            age=age,
            funding_rate=track.funding_rate,
        )

    def _fail(self, failed: Failed) -> None:
        self.idle = self.settled = False
        self.failures.add(failed.kind, self._clock.now(), failed.message)
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= FAILURES_THAT_END:
            raise InvalidValue(
                "strategy", f"{self._row.slug} failed {self._failed_in_a_row} times in a row: {failed.message}",
                "one that decides",
            )  # fmt: skip

    def _apply(self, ready: Ready) -> None:
        """Do what recording and sending do live: keep sizes and state, and put the requests on their markets."""
        decision = ready.decided.decision
        self._row.state = json.loads(json.dumps(dict(decision.state)))
        for size in ready.sizes:
            key = SignalKey(self._row.slug, self._ids[size.instrument], size.side, size.signal_id)
            self._known[key] = KnownSize(size.weight, size.quantity, self._clock.now())
            self.sizes += 1
            self.cut_sizes += _is_cut(size, ready.decided.work)
        reasons = {target.instrument: target.reason for target in targets_of(decision.desired)}
        for cancel in ready.reviewed.cancels:
            self._tracks[cancel.instrument].orders.pop(cancel.client_order_id, None)
        for approved in ready.reviewed.approved:
            request = approved.request
            track = self._tracks[request.instrument]
            orders = track.orders
            if isinstance(request, PlaceOrder):
                _require_matched(request)
                orders[request.client_order_id] = standing(request, reason_of(request, reasons))
                if request.purpose is Purpose.OPENING:
                    track.signal_row = track.row - 1
            else:
                orders[request.client_order_id].amended(request)
        for note in (*decision.notes, *ready.plan.notes):
            self.remarks.add(NUMBERS.sub("#", note), self._clock.now(), note)
        for refusal in ready.reviewed.refused:
            self.refusals.add(refusal.code, self._clock.now(), f"{refusal.request.instrument}: {refusal}")
        self.quoted = self.quoted or any(isinstance(wish, Quotes) for wish in decision.desired)
        placed = [approved.request for approved in ready.reviewed.approved]
        waits = any(not isinstance(one, PlaceOrder) or one.purpose is not Purpose.PROTECTIVE for one in placed)
        self.settled = not waits and not ready.reviewed.refused and not self.quoted
        self.idle = self.settled and not placed and all(target.weight == 0 for target in targets_of(decision.desired))


def targets_of(desired: Sequence[Desired]) -> list[Target]:
    """Return every target, legs taken apart."""
    legs = [target for wish in desired if isinstance(wish, Legs) for target in wish.targets]
    return [wish for wish in desired if isinstance(wish, Target)] + legs


def _is_cut(size: NewSize, work: Work) -> bool:
    """Return whether a limit left a signal less than its weight asks for, by more than rounding to lots does."""
    price = work.prices[size.instrument]
    if price is None:
        return False
    asked = abs(size.weight) * work.own.equity * work.own.leverage / float(price.value)
    return float(size.quantity + work.instruments[size.instrument].lot.value) < asked * ROUNDING


def reason_of(request: PlaceOrder, reasons: Mapping[str, str]) -> str:
    """Return what a trade that ends by `request` is said to end by."""
    if request.order_type is OrderType.STOP:
        return STOP
    return TARGET if request.order_type is OrderType.TAKE_PROFIT else reasons.get(request.instrument, QUOTE)


def _require_matched(request: PlaceOrder) -> None:
    if request.order_type not in MATCHED:
        raise Invariant(f"the bar matcher knows no {request.order_type} order: {request.leg}")
