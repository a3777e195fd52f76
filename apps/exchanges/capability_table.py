"""The table of abilities in the venues' documentation, made from the constants that the code itself goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.exchanges.adapters import Adapter
from apps.exchanges.capabilities import SilenceGuard, Support
from apps.exchanges.registry import PROTOCOLS, adapter_of
from moondev.domain.orders import OrderType, TimeInForce

START = "<!-- abilities: written by `manage.py venue_tables --write`; do not edit -->"
END = "<!-- end of abilities -->"

# Stands for all of ccxt's exchanges: what differs between them is what ccxt says each one has.
ANY_OTHER = "ccxt:okx"

_WORDS: Mapping[Support, str] = MappingProxyType(
    {Support.NATIVE: "the venue", Support.EMULATED: "we", Support.REFUSED: "refused"}
)
# What an adapter's client raises, before anything is sent, when it is asked for what it does not do.
_REFUSALS = MappingProxyType(
    {"order_type": "InvalidValue `order_type`", "time_in_force": "InvalidValue `time_in_force`"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what it is about, and what each adapter says of it."""

    name: str
    cell: Callable[[Adapter], str]


def capability_table() -> str:
    """Return the table in Markdown: one line per ability, one column per adapter."""
    adapters = columns()
    rows = [["", *adapters], ["---"] * (len(adapters) + 1)]
    rows += [[line.name, *(line.cell(adapter) for adapter in adapters.values())] for line in _lines()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def notes() -> str:
    """Return what the adapters add to the table in words, as a list in Markdown."""
    lines = []
    for name, adapter in columns().items():
        lines += [f"- {name}, {what}: {said}." for what, said in adapter.capabilities.notes.items()]
    return "\n".join(lines)


def with_tables(page: str) -> str:
    """Return the page with what lies between its two markers written anew."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{capability_table()}\n\n{notes()}\n{END}{after}"


def columns() -> dict[str, Adapter]:
    """Return the adapters by the heading of their column."""
    return {protocol: adapter_of(protocol) for protocol in PROTOCOLS} | {"`ccxt:<id>`": adapter_of(ANY_OTHER)}


def _lines() -> list[Line]:
    orders = [Line(_plain(kind.value), _of_kind(kind)) for kind in OrderType]
    times = [Line(_plain(tif.value), _of_time(tif)) for tif in TimeInForce]
    return [
        *orders,
        *times,
        Line("amend", lambda one: _by(one.capabilities.amend, "`amend`")),
        Line("amend of a waiting trigger", lambda one: _by(one.capabilities.trigger_amend, "`amend`")),
        Line("bracket", lambda one: _by(one.capabilities.bracket, "")),
        Line(
            "reduce-only order that rests",
            lambda one: _by(one.capabilities.resting_reduce_only, "InvalidValue `purpose`"),
        ),
        Line("leverage", lambda one: _by(one.capabilities.leverage, "InvalidValue `leverage`")),
        Line("cancel on silence", _silence),
        Line("orders in one request", lambda one: str(one.capabilities.max_batch)),
        Line("client order id", lambda one: f"{one.capabilities.client_id_bits} bits"),
        Line("account heard by", lambda one: one.capabilities.hearing.value),
        Line("fills may show late by", lambda one: f"{one.capabilities.fills_lag_seconds:g} s"),
        Line("answer to a cancel", lambda one: "final" if one.capabilities.cancel_is_final else "acknowledges"),
        Line("key to listen", lambda one: "yes" if one.capabilities.user_stream_needs_key else "no"),
        Line("accounts per machine", lambda one: str(one.accounts_followed)),
        Line("budgets", lambda one: str(len(one.budgets)) if one.budgets else "none"),
    ]


def _of_kind(kind: OrderType) -> Callable[[Adapter], str]:
    return lambda one: _by(one.capabilities.of(kind), _REFUSALS["order_type"])


def _of_time(tif: TimeInForce) -> Callable[[Adapter], str]:
    return lambda one: _by(one.capabilities.times_in_force.get(tif, Support.REFUSED), _REFUSALS["time_in_force"])


def _by(support: Support, refusal: str) -> str:
    """Return who does it, and with which error it is refused where nobody does."""
    return f"{_WORDS[support]}: {refusal}" if support is Support.REFUSED and refusal else _WORDS[support]


def _silence(one: Adapter) -> str:
    guard = one.capabilities.silence_guard
    none = guard in {SilenceGuard.NONE, SilenceGuard.BLOCK_EXPIRY, SilenceGuard.CONNECTION}
    return f"{guard.value} (`schedule_cancel` refused: InvalidValue)" if none else guard.value


def _plain(word: str) -> str:
    return word.replace("_", " ")
