"""What people write on a command line: moments, and which series they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.exchanges.market_data.history.series import Kind, SeriesKey, interval_of
from moondev.domain.errors import InvalidValue

NOW = "now"
_AGO = re.compile(r"[1-9][0-9]{0,3}[smhdw]")
_ALLOWED = "2025-01-31, 2025-01-31T12:00 (UTC unless it says otherwise), 90d for so long ago, or now"


def moment_of(field: str, text: str, now: datetime) -> datetime:
    """Return the moment a text stands for. Raises InvalidValue that names the field for a text that stands for none."""
    if text == NOW:
        return now
    if _AGO.fullmatch(text):
        return now - interval_of(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue(field, text, _ALLOWED) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which series are meant. What is left empty means all of them."""

    venue: str | None = None
    symbols: Sequence[str] = ()
    kinds: Sequence[Kind] = ()
    intervals: Sequence[timedelta] = ()

    def matches(self, key: SeriesKey) -> bool:
        """Return whether a series is meant."""
        return (
            self.venue in (None, key.venue)
            and (not self.symbols or key.symbol in self.symbols)
            and (not self.kinds or key.kind in self.kinds)
            and (not self.intervals or key.interval is None or key.interval in self.intervals)
        )

    def keys(self) -> Iterator[SeriesKey]:
        """Return every series that is named, candles once per interval. Raises InvalidValue without venue or symbol."""
        if self.venue is None or not self.symbols:
            raise InvalidValue("venue, symbol", f"{self.venue}, {', '.join(self.symbols)}", "one venue, symbols")
        for symbol in self.symbols:
            for kind in self.kinds:
                for interval in self.intervals if kind is Kind.CANDLES else (None,):
                    yield SeriesKey(self.venue, kind, symbol, interval)


def kinds_of(texts: Sequence[str], allowed: Sequence[Kind]) -> list[Kind]:
    """Return the kinds that texts name. Raises InvalidValue for one that is not allowed."""
    for text in texts:
        if text not in allowed:
            raise InvalidValue("kind", text, ", ".join(allowed))
    return [Kind(text) for text in texts]
