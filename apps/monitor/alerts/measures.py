"""Everything that a rule can measure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.exchanges.models import AccountEvent
from apps.monitor.alerts.measured import Measure, Source, Unit
from apps.monitor.alerts.readings import (
    beat,
    breakers,
    deliveries,
    events,
    halts,
    limiter,
    machine,
    money,
    orders,
    processes,
    queues,
    slos,
    sources,
    ticks,
    trail,
    venues,
)

SHARE, SECONDS, NUMBER, YES_NO = Unit.SHARE, Unit.SECONDS, Unit.NUMBER, Unit.YES_NO
DATABASE, CACHE, BROKER, MACHINE = Source.DATABASE, Source.CACHE, Source.BROKER, Source.MACHINE
OWNERS, TRADED = ("account", "venue"), ("strategy", "account", "venue")
HALTED = ("everything", "portfolio", "venue", "account", "strategy", "instrument")
Kind = AccountEvent.Kind


def _event(name: str, words: str, *kinds: AccountEvent.Kind) -> Measure:
    return Measure(f"{name}", f"{words}, times in the last hour", NUMBER, OWNERS, DATABASE, events.happened(*kinds))


_MONEY = (
    Measure("drawdown_use", "drawdown, as a part of its limit", SHARE, ("portfolio", "strategy"), DATABASE,
            money.drawdown_use),
    Measure("day_loss_use", "loss since 00:00 UTC, as a part of its limit", SHARE, ("portfolio",), DATABASE,
            money.day_loss_use),
    Measure("limit_use", "exposure, leverage, margin or age, as a part of its limit", SHARE,
            ("limit", "portfolio", "account", "strategy", "asset"), DATABASE, money.limit_use),
)  # fmt: skip
_STOPPED = (
    Measure("breaker_open", "a breaker is open (0.5: half open)", YES_NO, ("breaker", *HALTED), DATABASE,
            breakers.breaker_open),
    Measure("halt_engaged", "a halt stands", YES_NO, HALTED, DATABASE, halts.halt_engaged),
    Measure("halt_open_seconds", "a halt is not done yet", SECONDS, ("halt", *HALTED), DATABASE,
            halts.halt_open_seconds),
    Measure("drill_failed", "the latest rehearsal of the kill switch failed", YES_NO, HALTED, DATABASE,
            halts.drill_failed),
)  # fmt: skip
_ORDERS = (
    Measure("order_unknown_seconds", "the oldest order whose fate is not known", SECONDS, OWNERS, DATABASE,
            orders.order_unknown_seconds),
    Measure("position_unprotected", "a position that was to have a stop has none", YES_NO, ("position", *TRADED),
            DATABASE, orders.position_unprotected),
    _event("second_writers", "somebody else trades on the account", Kind.SECOND_WRITER),
    _event("foreign_orders", "orders and positions that are not ours", Kind.ADOPTED_ORDER, Kind.ADOPTED_POSITION,
           Kind.FOREIGN_FILL, Kind.ZOMBIE_ORDER, Kind.UNCANCELLABLE_ORDER),
    _event("orphan_fills", "fills whose order we do not know", Kind.ORPHAN_FILL),
    _event("overfills", "more filled than ordered", Kind.OVERFILL),
    _event("drifts", "ledger and venue were found to differ", Kind.POSITION_DIFFERS, Kind.EQUITY_DIFFERS,
           Kind.MARK_DIFFERS),
    Measure("symbols_differing", "symbols of which ledger and venue hold different sizes now", NUMBER, OWNERS, DATABASE,
            events.differing),
    _event("stops_lost", "stops lost, unreleased, unwatched or overrun", Kind.UNPROTECTED, Kind.UNRELEASED_ORDER,
           Kind.UNWATCHED_ORDER),
    _event("halts_not_flat", "a halt could not close a position in time", Kind.NOT_FLAT),
    _event("dead_man", "the venue's cancel-on-silence went off, or was refused", Kind.DEAD_MAN),
    _event("credential_alarms", "the venue refuses our key", Kind.STREAM_REFUSED),
)  # fmt: skip
_VENUES = (
    Measure("venue_down", "a venue does not answer", YES_NO, ("venue",), CACHE, venues.venue_down),
    Measure("data_age", "age of a venue's newest datum", SECONDS, ("venue",), CACHE, venues.data_age),
    Measure("book_age", "age of a venue's oldest streamed book", SECONDS, ("venue",), CACHE, venues.book_age),
    Measure("error_rate", "requests without a usable answer", SHARE, ("venue",), CACHE, venues.error_rate),
    Measure("limiter_use", "what is spent of a venue's budgets", SHARE, ("budget", "venue", "account"), CACHE,
            limiter.limiter_use),
    Measure("unreconciled", "what an account's stream missed has yet to be asked for", YES_NO, OWNERS, DATABASE,
            venues.unreconciled),
)  # fmt: skip
_PLATFORM = (
    Measure("source_down", "broker or cache does not answer", YES_NO, ("source",), MACHINE, sources.source_down),
    Measure("process_down", "a process of ours does not work", YES_NO, ("process",), MACHINE, processes.process_down),
    Measure("queue_length", "messages that wait in a queue", NUMBER, ("queue",), BROKER, queues.queue_length),
    Measure("queue_age", "the oldest work that waits to be taken up", SECONDS, ("queue",), DATABASE, queues.queue_age),
    Measure("tick_failures", "ticks of 5 minutes, else the latest 3, that failed or came too late", SHARE,
            ("strategy", "account"), DATABASE, ticks.tick_failures),
    Measure("tick_age", "periods since a strategy was last due", NUMBER, ("strategy", "account"), DATABASE,
            ticks.tick_age),
    Measure("beat_silence", "since beat noted a run", SECONDS, ("process",), DATABASE, beat.beat_silence),
    Measure("correlation_age", "since strategies were last compared", SECONDS, ("task",), DATABASE,
            beat.correlation_age),
    Measure("audit_broken", "the latest of the audit trail was touched", YES_NO, ("trail",), DATABASE,
            trail.audit_broken),
    Measure("budget_burn_hour", "an error budget's burn rate over an hour", NUMBER, ("objective",), DATABASE,
            slos.budget_burn("1h")),
    Measure("budget_burn_6_hours", "an error budget's burn rate over six hours", NUMBER, ("objective",), DATABASE,
            slos.budget_burn("6h")),
    Measure("budget_burn_3_days", "an error budget's burn rate over three days", NUMBER, ("objective",), DATABASE,
            slos.budget_burn("3d")),
    Measure("disk_use", "how full a disk is", SHARE, ("disk",), MACHINE, machine.disk_use),
    Measure("delivery_failures", "messages a channel could not deliver in 30 minutes", NUMBER, ("channel",), DATABASE,
            deliveries.delivery_failures),
)  # fmt: skip

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {measure.name: measure for measure in (*_MONEY, *_STOPPED, *_ORDERS, *_VENUES, *_PLATFORM)}
)
