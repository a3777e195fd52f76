"""The same decision on the same bars: cut off from the whole past behind them, and bearing other dates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.honesty.views import Views, cut_off
from apps.strategies.backtest.honesty.wishes import apart, wishes
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Book, InstrumentView, MarketView

# After 28 years the calendar repeats itself, weekdays, leap years and summer time alike (until 2100).
CALENDAR = timedelta(days=28 * 365 + 7)


def reaching_out(loaded: Loaded, setting: Setting, moments: Iterable[datetime]) -> list[str]:
    """Return the first of `moments` at which `decide` answers differently once nothing but the view can be reached.

    Also found so is a strategy that remembers between calls: asked the same, it must answer the same.
    """
    return _first(loaded, setting, moments, cut_off, "once it is shown copies of the same bars")


def knowing_dates(loaded: Loaded, setting: Setting, moments: Iterable[datetime]) -> list[str]:
    """Return the first of `moments` at which `decide` answers differently when all is dated 28 years later.

    Whoever looks up what came after a date finds nothing there.
    """
    return _first(loaded, setting, moments, dated_later, "once the same bars bear dates 28 years later")


def dated_later(view: MarketView) -> MarketView:
    """Return the same view as of the same weekday and hour 28 years later."""
    seen = {key: _dated(one) for key, one in view.instruments.items()}
    return MarketView(view.now + CALENDAR, seen)


def _first(
    loaded: Loaded,
    setting: Setting,
    moments: Iterable[datetime],
    changed: Callable[[MarketView], MarketView],
    when: str,
) -> list[str]:
    views = Views(loaded, setting)
    for moment in moments:
        view = views.at(moment)
        # Either may raise; that it raises on one of them only is a difference like another.
        alone, behind = _answer(views, changed(view)), _answer(views, view)
        if isinstance(alone, str) or isinstance(behind, str):
            where = "" if alone == behind else f"something else ({behind or alone})"
        else:
            where = apart(behind, alone)[2]
        if where:
            return [f"at {moment:%Y-%m-%d %H:%M} decide wants {where} {when}"]
    return []


def _answer(views: Views, view: MarketView) -> dict[str, float] | str:
    try:
        return wishes(views.decide(view))
    except InvalidValue as refusal:
        return str(refusal.value)


def _dated(seen: InstrumentView) -> InstrumentView:
    bars = {interval: _bars_later(one) for interval, one in seen.bars.items()}
    return replace(seen, bars=bars, book=None if seen.book is None else _book_later(seen.book))


def _bars_later(bars: BarSeries) -> BarSeries:
    return replace(bars, opened_ms=bars.opened_ms + step_ms(CALENDAR))


def _book_later(book: Book) -> Book:
    return Book(book.bids, book.asks, book.time_exchange + CALENDAR, book.time_received + CALENDAR)
