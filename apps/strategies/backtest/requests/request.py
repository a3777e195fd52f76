"""What a person asks for: an idea, data by name, a period, money and rules. Plain values that travel to any worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from apps.risk.sizing.rule import rule_of_json
from apps.strategies.backtest.fills import FillRule
from moondev.domain.errors import InvalidValue

# The rule as people type it, on a command line and in JSON.
RULES = {"next-open": FillRule.NEXT_OPEN, "bar-close": FillRule.BAR_CLOSE}
ENGINES = ("auto", "replay", "vectorised", "quotes")
QUOTES = "quotes"
QUEUES = ("risk-averse", "proportional")


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """One backtest as it was asked for.

    `data` and `funding` are names of files or of series in the lake (``lake:hyperliquid:BTC:5m``). It trades from
    `start` to `end` (None: all there is); what is recorded before `start` is history to look at. Costs that are None
    are the venue's own. With the engine ``quotes`` the data are recorded books: the recorder's clock is put forward by
    `shift_ms`, orders and answers take `latency_ms` each, and with `assumed_bps` above 0 bars of that volatility (per
    square root of a second) are made up before the record. `strategy` is the slug of a row it was started from, ""
    for none; `sizing` that row's sizing rule as JSON, empty for sizes by weight alone.
    """

    kind: str
    parameters: Mapping[str, Any]
    data: tuple[str, ...]
    preset: str = ""
    funding: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    capital: float = 100_000.0
    leverage: float = 1.0
    rule: str = "next-open"
    engine: str = "auto"
    maker_bps: float | None = None
    taker_bps: float | None = None
    spread_bps: float = 0.0
    slippage_bps: float = 0.0
    reprice_bps: float = 1.0
    shift_ms: float = 0.0
    latency_ms: float = 5.0
    queue: str = QUEUES[0]
    assumed_bps: float = 0.0
    strategy: str = ""
    parameters_version: int | None = field(default=None)
    sizing: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could not be run whatever the data are."""
        if not self.data:
            raise InvalidValue("data", "none", "at least one file, or a series such as lake:hyperliquid:BTC:5m")
        if self.rule not in RULES:
            raise InvalidValue("rule", self.rule, " or ".join(RULES))
        if self.engine not in ENGINES:
            raise InvalidValue("engine", self.engine, ", ".join(ENGINES))
        if self.queue not in QUEUES:
            raise InvalidValue("queue", self.queue, " or ".join(QUEUES))
        if not (math.isfinite(self.shift_ms) and 0 <= self.latency_ms < math.inf and 0 <= self.assumed_bps < math.inf):
            given = f"{self.shift_ms}, {self.latency_ms}, {self.assumed_bps}"
            raise InvalidValue("shift_ms, latency_ms, assumed_bps", given, "finite numbers; the last two 0 or more")
        if not rule_of_json(self.sizing).is_constant and self.engine == QUOTES:
            raise InvalidValue("sizing", self.sizing["method"], "weight or fixed_fraction over recorded books")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidValue("from", self.start.isoformat(), f"a time before --to, {self.end.isoformat()}")

    @property
    def fill_rule(self) -> FillRule:
        """Return the rule of fills."""
        return RULES[self.rule]

    @property
    def title(self) -> str:
        """Return what people call this run."""
        idea = self.strategy or self.kind
        return f"{idea}, {self.preset}" if self.preset else idea

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `request_of_json` reads."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }


def request_of_json(stored: Mapping[str, Any]) -> BacktestRequest:
    """Return what `to_json` wrote. Raises InvalidValue for what it could not have written."""
    known = {one.name for one in fields(BacktestRequest)}
    if unknown := sorted(set(stored) - known):
        raise InvalidValue("request", ", ".join(unknown), f"only {', '.join(sorted(known))}")
    values = {**stored, "data": tuple(stored["data"]), "funding": tuple(stored.get("funding", ()))}
    for name in ("start", "end"):
        if values.get(name) is not None:
            values[name] = _moment(name, values[name])
    return BacktestRequest(**values)


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(name, text, "a time such as 2025-01-31 or 2025-01-31T12:00+00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
