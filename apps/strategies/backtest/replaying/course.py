"""The replay itself: bar after bar, what orders meet in it, and a tick wherever the platform would make one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np

from apps.strategies.backtest.costs import BPS
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.replaying.matching import Answer, Hit, arrival, beyond, touched
from apps.strategies.backtest.replaying.naps import Naps
from apps.strategies.backtest.replaying.orders import Standing
from apps.strategies.backtest.replaying.purse import limits_of
from apps.strategies.backtest.replaying.refusals import Refusals
from apps.strategies.backtest.replaying.ticker import Ticker
from apps.strategies.backtest.replaying.timeline import Timeline, intervals_of
from apps.strategies.backtest.replaying.tracks import Track
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.clock import FixedClock, from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Needs

# A strategy that answers each fill with another order at the market would never reach the end of a bar.
MOST_FILLS_IN_A_BAR = 50
TOLD_EVERY = 100
NOTHING_TO_REDUCE = "REDUCE_ONLY_WITHOUT_POSITION"

Progress = Callable[[float], None]


class Course:
    """One strategy over one setting. `run` goes through it once; the tracks then hold what came of it."""

    def __init__(self, loaded: Loaded, setting: Setting) -> None:
        """Build the bars that the strategy asks for. Raises InvalidValue for what the setting does not have."""
        instruments = setting.instruments
        needs = loaded.strategy.needs(loaded.parameters, tuple(instruments.values()))
        require_there(needs, setting)
        intervals = intervals_of(needs, setting.interval) + tuple(setting.sizing.needs)
        # In the order of their names, so that the order in which markets are given never matters.
        markets = sorted(setting.markets, key=lambda market: market.key)
        self.tracks = {market.key: Track(market, intervals) for market in markets}
        histories = {key: track.history for key, track in self.tracks.items()}
        self.timeline = Timeline(histories)
        self._at_close = setting.rule is FillRule.BAR_CLOSE
        self._clock = FixedClock(from_milliseconds(int(self.timeline.opened_ms[0])))
        self.ticker = Ticker(loaded, setting, needs, self.tracks, self._clock, limits_of(setting))
        self.refusals = Refusals()
        self.endless_from: int | None = None
        # The planner leaves an order where it is while its wish is no farther from it than this.
        self._near = float(setting.reprice_bps) * BPS
        asked = self.timeline.asked(histories, needs, setting.trades_from)
        self._is_asked = np.isin(np.arange(len(self.timeline)), asked)
        self._naps = Naps(loaded, instruments, float(setting.leverage), self.tracks, self.timeline, asked)

    def run(self, on_progress: Progress) -> None:
        """Go through all steps. What `on_progress` raises ends it there."""
        count = len(self.timeline)
        tell_at, done, step = 0, 0, self._next(0)
        while step < count:
            if step >= tell_at:
                on_progress(step / count)
                tell_at = step + max(count // TOLD_EVERY, 1)
            self._mark(done, step)
            self._bar(step)
            self._mark(step, step + 1)
            done, step = step + 1, self._next(step + 1)
        self._stand_before(count)
        on_progress(1.0)

    def _next(self, step: int) -> int:
        """Return the first step from `step` on in which anything can happen."""
        if step >= len(self.timeline):
            return step
        ask = self._ask(step)
        return self._first_touch(step, ask) if any(track.orders for track in self.tracks.values()) else ask

    def _ask(self, step: int) -> int:
        """Return the first step from `step` on at whose close the strategy has to be asked, as things stand."""
        held = any(track.holding.quantity for track in self.tracks.values())
        if not held and self.ticker.idle and not any(track.orders for track in self.tracks.values()):
            return self._naps.idle(step)
        settled = held and self.ticker.settled and all(track.guarded for track in self.tracks.values())
        return self._naps.holding(step) if settled else self._naps.asked(step)

    def _first_touch(self, start: int, end: int) -> int:
        """Return the first step of [start, end) in which a market comes near an order; `end` when none does."""
        first = end
        for key, track in self.tracks.items():
            if track.orders:
                rows = self.timeline.rows_before[key]
                until = int(rows[first]) if first < len(rows) else len(track)
                row = track.first_touch(int(rows[start]), until, self._near)
                first = first if row is None else int(self.timeline.step_of[key][row])
        return first

    def _mark(self, start: int, stop: int) -> None:
        """Note what all was worth at most at the closes of steps [start, stop), as the guard of a platform would."""
        held = {key: track for key, track in self.tracks.items() if track.holding.quantity}
        if not held or start >= stop:
            return
        worth = sum(track.profits(self.timeline.rows_by[key][start:stop] - 1) for key, track in held.items())
        flat = sum(float(track.earned) for key, track in self.tracks.items() if key not in held)
        self.ticker.purse.saw(float(np.max(worth)) + flat)

    def _stand_before(self, step: int) -> None:
        for key, track in self.tracks.items():
            rows = self.timeline.rows_before[key]
            track.skips(int(rows[step]) if step < len(rows) else len(track))

    def _bar(self, step: int) -> None:
        self._stand_before(step)
        opened_ms = int(self.timeline.opened_ms[step])
        live = [track for key, track in self.tracks.items() if track.opened_at(opened_ms)]
        if any(track.orders for track in live):
            self._move_clock(opened_ms)
            for track in live:
                track.opens(opened_ms)
            self._match(live, step)
        closed_ms = opened_ms + self.timeline.step_ms
        self._move_clock(closed_ms)
        for track in live:
            track.closes(closed_ms)
        if self._is_asked[step] and (self._ask(step) == step or self._came_near(live)):
            self.ticker.tick()
            if self._at_close:
                self._match(live, step)

    def _came_near(self, live: Sequence[Track]) -> bool:
        """Return whether the bar that has just closed came near an order that is left."""
        ended = (track for track in live if track.orders)
        return any(track.first_touch(track.row - 1, track.row, self._near) is not None for track in ended)

    def _move_clock(self, stamp_ms: int) -> None:
        moment = from_milliseconds(stamp_ms)
        self._clock.advance(max(moment - self._clock.now(), timedelta(0)))

    def _match(self, live: Sequence[Track], step: int) -> None:
        """Let orders meet the rest of the bar; each fill makes a tick at once, whose orders meet what is left then."""
        for _ in range(MOST_FILLS_IN_A_BAR):
            # Every market of the moment has its turn before the strategy hears of any.
            filled = [self._at_price(track, step) for track in live]
            if not any(filled) and not self._within(live, step):
                return
            self.ticker.tick()
        if self.endless_from is None:
            self.endless_from = int(self.timeline.opened_ms[step])

    def _at_price(self, track: Track, step: int) -> bool:
        """Fill what trades at the price of this moment; return whether anything did."""
        path, filled = track.path, False
        if path is None:
            return False
        for order in [order for order in track.orders.values() if order.arrived is None]:
            answer = arrival(order, path.price, track.half_spread)
            if answer is Answer.RESTS:
                order.rests(step)
            elif answer is Answer.TAKES:
                filled |= self._fill(track, Hit(order, path.price, made=False))
            else:
                self._refuse(track, order, answer.value)
        return self._beyond(track, step) or filled

    def _beyond(self, track: Track, step: int) -> bool:
        """Fill the resting orders that the price is at or beyond; return whether there were any."""
        filled = False
        while track.path is not None and (hit := beyond(track.orders.values(), track.path, step)) is not None:
            filled |= self._fill(track, hit)
        return filled

    def _within(self, live: Sequence[Track], step: int) -> bool:
        """Fill what trades at the first price that the rest of the bar reaches; return whether there was any."""
        for track in live:
            while track.path is not None and (hit := touched(track.orders.values(), track.path)) is not None:
                track.moves(track.path.after(hit.price, fell=hit.standing.falls))
                filled = self._fill(track, hit)
                if self._beyond(track, step) or filled:
                    return True
        return False

    def _fill(self, track: Track, hit: Hit) -> bool:
        order = hit.standing
        del track.orders[order.order.client_order_id]
        quantity = order.fillable(track.holding.quantity)
        if not quantity:
            self._refuse(track, order, NOTHING_TO_REDUCE)
            return False
        if not track.fill(order, quantity, hit.price, made=hit.made):
            self._refuse(track, order, Answer.UNFILLED.value)
            return False
        return True

    def _refuse(self, track: Track, order: Standing, code: str) -> None:
        track.orders.pop(order.order.client_order_id, None)
        what = order.order
        words = (
            f"{track.key}: {what.order_type} {what.side} {what.remaining} at {what.price}, market at {track.price:g}"
        )
        self.refusals.add(code, self._clock.now(), words)


def require_there(needs: Needs, setting: Setting) -> None:
    """Raise InvalidValue for a market that the strategy looks at and `setting` has not, and for mixed currencies."""
    missing = sorted(set(needs.instruments) - set(setting.instruments))
    if missing:
        raise InvalidValue(
            "markets", ", ".join(setting.instruments), f"also {', '.join(missing)}: the strategy looks there"
        )
    quotes = {market.key: market.instrument.quote for market in setting.markets}
    if len(set(quotes.values())) > 1:
        raise InvalidValue("markets", str(quotes), "instruments quoted in one currency")


def nothing(_fraction: float) -> None:
    """Tell nobody how far the replay has come."""
