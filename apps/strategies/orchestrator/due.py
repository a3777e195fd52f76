"""Who is due: enabled strategies, and what happened that concerns them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.strategies.models import StrategyInstrument, StrategyRow, Trigger
from moondev.domain.clock import require_aware
from moondev.domain.errors import InvalidValue

BAR, BOOK, FILL = "bar", "book", "fill"
# A book or a fill says nothing new after this; a bar is worth a tick until the next one closes.
STALE_AFTER = timedelta(seconds=5)
EVENT_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Enabled:
    """An enabled strategy as the dispatcher sees it."""

    strategy_id: int
    trigger: str
    cadence_seconds: int
    book_move_bps: Decimal
    priority: int
    deadline_ms: int
    overruns: int


@dataclass(frozen=True, slots=True)
class Due:
    """One occasion for one strategy. `event` names it: the same occasion noticed twice is one tick."""

    strategy: Enabled
    trigger: str
    event: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """Something the stream processes told us. `interval_seconds` is the bar's, 0 for other kinds."""

    kind: str
    instrument: str
    event_id: str
    at: datetime
    interval_seconds: int = 0

    @classmethod
    def parsed(cls, fields: Mapping[bytes, bytes]) -> MarketEvent:
        """Return the event in the fields of a stream entry. Raises InvalidValue when it is none."""
        text = {key.decode(): value.decode() for key, value in fields.items()}
        try:
            at = require_aware("at", datetime.fromisoformat(text["at"]))
            event = cls(text["type"], text["key"], text["id"], at, int(text.get("interval") or 0))
        except (KeyError, ValueError) as error:
            raise InvalidValue("market event", text, "type, key, id and at") from error
        if event.kind not in {BAR, BOOK, FILL} or len(event.event_id) > EVENT_CHARACTERS:
            raise InvalidValue("market event", text, "a bar, book or fill with an id of its own")
        return event

    def stale(self, now: datetime) -> bool:
        """Return whether acting on it now would be acting on the past."""
        return now - self.at > max(STALE_AFTER, timedelta(seconds=self.interval_seconds))


@dataclass(frozen=True, slots=True)
class Directory:
    """Enabled strategies by the instruments they trade, as read at one moment.

    `stand_ins` are the same strategies by the instruments that stand in, each with the venue at home: what happens
    there concerns them while that venue is down, and when they trade there.
    """

    by_instrument: Mapping[str, Sequence[Enabled]] = field(default_factory=dict)
    stand_ins: Mapping[str, Sequence[tuple[Enabled, str]]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Directory:
        """Return the directory as the database has it; one query."""
        links = StrategyInstrument.objects.filter(strategy__enabled=True, strategy__paused_reason="")
        home: dict[str, list[Enabled]] = {}
        elsewhere: dict[str, list[tuple[Enabled, str]]] = {}
        for venue, symbol, home_venue, *row in links.order_by("pk").values_list(
            "instrument__venue_id",
            "instrument__symbol",
            "stands_in_for__venue_id",
            *(f"strategy__{name}" for name in _FIELDS),
        ):
            key, strategy = f"{venue}:{symbol}", Enabled(*row)
            if home_venue is None:
                home.setdefault(key, []).append(strategy)
            else:
                elsewhere.setdefault(key, []).append((strategy, home_venue))
        return cls(home, elsewhere)

    @property
    def home_venues(self) -> set[str]:
        """Return the venues for which others stand in."""
        return {venue for strategies in self.stand_ins.values() for _, venue in strategies}

    def concerned(self, event: MarketEvent, down: Collection[str]) -> list[Enabled]:
        """Return whom `event` concerns while the venues `down` do not answer."""
        stand_ins = self.stand_ins.get(event.instrument, ())
        return [
            *self.by_instrument.get(event.instrument, ()),
            *(strategy for strategy, home in stand_ins if event.kind == FILL or home in down),
        ]


_FIELDS = ("pk", "trigger", "cadence_seconds", "book_move_bps", "priority", "deadline_ms", "overruns")


def due_by_cadence(seconds: int, now: datetime) -> list[Due]:
    """Return every strategy that is due each `seconds`; the occasion is the due time, not the moment we noticed."""
    rows = StrategyRow.objects.filter(
        enabled=True, paused_reason="", trigger=Trigger.INTERVAL, cadence_seconds=seconds
    ).order_by("pk")
    return [_at_cadence(Enabled(*row), now) for row in rows.values_list(*_FIELDS)]


class Noticing:
    """Turns market events into due strategies, remembering where the market stood for each."""

    def __init__(self, *, cadence_from_bars: bool) -> None:
        """Make interval strategies due from bars as well when `cadence_from_bars`: beat knows no replayed time."""
        self._cadence_from_bars = cadence_from_bars
        self._mids: dict[tuple[int, str], float] = {}

    def due(
        self,
        events: Sequence[MarketEvent],
        directory: Directory,
        mids: Mapping[str, float],
        now: datetime,
        down: Collection[str] = (),
    ) -> list[Due]:
        """Return who is due after `events`, each strategy once, for the last of its occasions."""
        latest: dict[int, Due] = {}
        for event in events:
            if event.stale(now):
                continue
            for strategy in directory.concerned(event, down):
                occasion = self._occasion(event, strategy, mids)
                if occasion is not None:
                    latest[strategy.strategy_id] = occasion
        return list(latest.values())

    def _occasion(self, event: MarketEvent, strategy: Enabled, mids: Mapping[str, float]) -> Due | None:
        if event.kind == FILL:
            return Due(strategy, FILL, event.event_id, event.at)
        if event.kind == BAR:
            if strategy.trigger == Trigger.BAR and strategy.cadence_seconds == event.interval_seconds:
                return Due(strategy, Trigger.BAR.value, event.event_id, event.at)
            interval = strategy.trigger == Trigger.INTERVAL and self._cadence_from_bars
            return _at_cadence(strategy, event.at) if interval else None
        if strategy.trigger == Trigger.BOOK and self._moved(event.instrument, strategy, mids):
            return Due(strategy, Trigger.BOOK.value, event.event_id, event.at)
        return None

    def _moved(self, instrument: str, strategy: Enabled, mids: Mapping[str, float]) -> bool:
        """Return whether the mid has moved far enough since this strategy was last due for it."""
        mid, last = mids.get(instrument), self._mids.get((strategy.strategy_id, instrument))
        if mid is None or (last is not None and abs(mid - last) / last * 10_000 < strategy.book_move_bps):
            return False
        self._mids[strategy.strategy_id, instrument] = mid
        return True


def _at_cadence(strategy: Enabled, now: datetime) -> Due:
    due = int(now.timestamp()) // strategy.cadence_seconds * strategy.cadence_seconds
    at = datetime.fromtimestamp(due, tz=UTC)
    return Due(strategy, Trigger.INTERVAL.value, f"every {strategy.cadence_seconds} s: {at:%FT%TZ}", at)
