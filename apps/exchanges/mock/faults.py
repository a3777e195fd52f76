"""Faults on demand: what may go wrong between a client and the venue, switched on by the scenario.

A rule says what goes wrong, how likely, how often, and for which requests or channels. The wire
asks the book at each place where the fault could strike; with no rule of that kind the question
costs one look-up. Draws are seeded, so a scenario goes wrong in the same way twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from moondev.domain.clock import monotonic

_LONGEST_LATENCY_MS = 60_000
_LONGEST_SECONDS = 86_400
_LARGEST_SKEW_MS = 86_400_000


class FaultKind(StrEnum):
    """What can go wrong."""

    LATENCY_MS = "latency_ms"
    ERROR_5XX = "error_5xx"
    RATE_LIMIT = "rate_limit"
    BAN = "ban"
    ACCEPT_THEN_DROP = "accept_then_drop"
    DROP_BEFORE = "drop_before"
    REJECT = "reject"
    WS_DISCONNECT = "ws_disconnect"
    WS_REFUSE = "ws_refuse"
    WS_STALL = "ws_stall"
    WS_GAP = "ws_gap"
    WS_DUPLICATE = "ws_duplicate"
    WS_OUT_OF_ORDER = "ws_out_of_order"
    CLOCK_SKEW_MS = "clock_skew_ms"


@dataclass(slots=True)
class FaultRule:
    """One thing that goes wrong.

    `value` is the milliseconds of latency or skew, the HTTP status of a server error or a ban, the
    seconds of a stall, gap or refusal, or the text of a rejection. `count` is how many times it
    still strikes (None: without end). `path` and `action` narrow it: a path without the venue's
    prefix ("/exchange", "/info", "/ws" for every websocket) and an action, info type or channel;
    None matches all. A rate limit is told in the venue's own words (429), a ban is what comes after.
    """

    kind: FaultKind
    venue: str
    value: float | str | None = None
    probability: float = 1.0
    count: int | None = None
    path: str | None = None
    action: str | None = None
    id: int = 0
    struck: int = 0
    started: float = 0.0

    def matches(self, venue: str, path: str, action: str) -> bool:
        """Return whether this rule speaks about such a request."""
        return (
            self.venue == venue
            and (self.path is None or self.path == path)
            and (self.action is None or self.action == action)
            and (self.count is None or self.count > 0)
        )

    def number(self, default: float) -> float:
        """Return the value as a number, `default` when none was given."""
        return default if self.value is None else float(self.value)


_FIELDS: Mapping[str, tuple[type, ...]] = {
    "kind": (str,),
    "venue": (str,),
    "value": (int, float, str),
    "probability": (int, float),
    "count": (int,),
    "path": (str,),
    "action": (str,),
}
BANS = (403, 418)
_LONGEST = f"seconds above 0 and at most {_LONGEST_SECONDS}"


@dataclass(frozen=True, slots=True)
class _Values:
    """Which values a kind of fault takes, in words; `needed`: there is no default."""

    words: str
    allows: Callable[[float], bool]
    needed: bool = True


_SECONDS = _Values(_LONGEST, lambda value: 0 < value <= _LONGEST_SECONDS)
# Kinds that are not named here take no value, but for a rejection, whose value is its text.
_VALUES: Mapping[FaultKind, _Values] = {
    FaultKind.LATENCY_MS: _Values(
        f"above 0 and at most {_LONGEST_LATENCY_MS}", lambda value: 0 < value <= _LONGEST_LATENCY_MS
    ),
    FaultKind.CLOCK_SKEW_MS: _Values(
        f"other than 0 and at most {_LARGEST_SKEW_MS} either way", lambda value: 0 < abs(value) <= _LARGEST_SKEW_MS
    ),
    FaultKind.ERROR_5XX: _Values("a status from 500 to 599", lambda value: 500 <= value <= 599, needed=False),
    FaultKind.BAN: _Values(f"one of {', '.join(map(str, BANS))}", lambda value: value in BANS, needed=False),
    FaultKind.WS_STALL: _SECONDS,
    FaultKind.WS_GAP: _SECONDS,
    FaultKind.WS_REFUSE: _SECONDS,
}
_ANY_SOCKET = "/ws"


class FaultRefusedError(ValueError):
    """Say which field of a fault rule is wrong, what it was and what is allowed."""


def read_rule(raw: object) -> FaultRule:
    """Read a rule from JSON. Raises FaultRefusedError."""
    if not isinstance(raw, dict):
        raise FaultRefusedError(f"a fault is an object with kind and venue, got {raw!r}")
    unknown = sorted(set(raw) - set(_FIELDS))
    if unknown:
        raise FaultRefusedError(f"unknown field {unknown[0]!r}; allowed: {', '.join(_FIELDS)}")
    given = {field: value for field, value in raw.items() if value is not None}
    for field, value in given.items():
        if isinstance(value, bool) or not isinstance(value, _FIELDS[field]):
            raise FaultRefusedError(f"{field} has the wrong type: {value!r}")
    if given.get("kind") not in set(FaultKind):
        raise FaultRefusedError(f"kind must be one of {', '.join(FaultKind)}, got {raw.get('kind')!r}")
    rule = FaultRule(**{"venue": "hyperliquid", **given, "kind": FaultKind(given["kind"])})
    _check_ranges(rule)
    return rule


def _check_ranges(rule: FaultRule) -> None:
    if not 0 < rule.probability <= 1:
        raise FaultRefusedError(f"probability must be above 0 and at most 1, got {rule.probability}")
    if rule.count is not None and rule.count < 1:
        raise FaultRefusedError(f"count must be at least 1 or absent, got {rule.count}")
    if rule.path is not None and not rule.path.startswith("/"):
        raise FaultRefusedError(f"path must start with /, got {rule.path!r}")
    if rule.kind.startswith("ws_") and rule.path not in (None, _ANY_SOCKET):
        raise FaultRefusedError(f"path of {rule.kind} must be {_ANY_SOCKET} or absent, got {rule.path!r}")
    if rule.kind is not FaultKind.REJECT:
        _check_value(rule)


def _check_value(rule: FaultRule) -> None:
    allowed = _VALUES.get(rule.kind)
    if allowed is None:
        if rule.value is not None:
            raise FaultRefusedError(f"{rule.kind} takes no value, got {rule.value!r}")
        return
    if isinstance(rule.value, str):
        raise FaultRefusedError(f"value of {rule.kind} must be a number, got {rule.value!r}")
    if rule.value is None and not allowed.needed:
        return
    if rule.value is None or not allowed.allows(rule.value):
        raise FaultRefusedError(f"value of {rule.kind} must be {allowed.words}, got {rule.value}")


class FaultBook:
    """The rules in force."""

    def __init__(self, seed: int = 0) -> None:
        """Start with nothing wrong; `seed` fixes the draws."""
        self._random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._rules: dict[FaultKind, list[FaultRule]] = {}
        self._next_id = 1

    def add(self, rule: FaultRule) -> FaultRule:
        """Put `rule` into force under a new id."""
        rule.id = self._next_id
        rule.started = monotonic()
        self._next_id += 1
        self._rules.setdefault(rule.kind, []).append(rule)
        return rule

    def clear(self, venue: str | None = None) -> int:
        """Take every rule out of force, or those of one venue. Returns how many there were."""
        cleared = 0
        for kind, rules in list(self._rules.items()):
            kept = [rule for rule in rules if venue not in (None, rule.venue)]
            cleared += len(rules) - len(kept)
            if kept:
                self._rules[kind] = kept
            else:
                del self._rules[kind]
        return cleared

    def listing(self) -> list[dict[str, object]]:
        """Return the rules in force, in the order they came, with how often each has struck."""
        rules = sorted((rule for rules in self._rules.values() for rule in rules), key=lambda rule: rule.id)
        return [asdict(rule) for rule in rules]

    def has(self, *kinds: FaultKind) -> bool:
        """Return whether any rule of these kinds is in force."""
        return any(kind in self._rules for kind in kinds)

    def strike(self, kind: FaultKind, venue: str, path: str, action: str) -> FaultRule | None:
        """Return the rule that strikes this request now, and count it, or None."""
        for rule in self._rules.get(kind, ()):
            if not rule.matches(venue, path, action):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.struck += 1
            if rule.count is not None:
                rule.count -= 1
            return rule
        return None

    def seconds_left(self, kind: FaultKind, venue: str, path: str, action: str) -> float:
        """Return for how many more real seconds a rule that lasts its `value` holds; 0 when none does."""
        now = monotonic()
        return max(
            (
                rule.started + rule.number(0) - now
                for rule in self._rules.get(kind, ())
                if rule.matches(venue, path, action)
            ),
            default=0.0,
        )

    def skew_ms(self, venue: str) -> int:
        """Return by how many milliseconds the venue's clock runs ahead."""
        return int(sum(rule.number(0) for rule in self._rules.get(FaultKind.CLOCK_SKEW_MS, ()) if rule.venue == venue))
