"""The rules to begin with. What a person has changed since stays as it is, and what he switched off stays off.

Critical is what costs money while nobody looks; the rest can wait until somebody does. Each says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from apps.monitor.models import AlertRule, Comparison, Severity

MINUTE, HOUR, DAY = 60, 3_600, 86_400
D = Decimal
CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
ABOVE = Comparison.ABOVE
# What is critical is said again until somebody has it in hand.
_URGENT: Mapping[str, Any] = MappingProxyType({"severity": CRITICAL, "remind_seconds": 15 * MINUTE})
# What only counts in the morning.
_BY_DAY: Mapping[str, Any] = MappingProxyType({"quiet_from": time(22), "quiet_until": time(7)})
_OF_VENUE: Mapping[str, Any] = MappingProxyType({"muted_by": ["venue-down"], "group": "venues"})
_PLATFORM: Mapping[str, Any] = MappingProxyType({"group": "platform"})

RULES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "source-down": {
            "title": "Broker or cache is down", "reading": "source_down", "threshold": D(1), "for_seconds": 10,
            "resolve_seconds": 15, **_URGENT, **_PLATFORM,
            "advice": "Orders stand as they are; halts go through --direct. Restart it, then look at venue_status.",
        },
        "venue-down": {
            "title": "Venue is down", "reading": "venue_down", "threshold": D(1), "for_seconds": 15,
            "severity": CRITICAL, "group": "venues", "remind_seconds": 15 * MINUTE,
            "advice": "New risk goes to stand-ins by itself; what is held there is not watched. See its status page.",
        },
        "data-old": {
            "title": "Market data is old", "reading": "data_age", "comparison": ABOVE, "threshold": D(30),
            "for_seconds": 15, **_OF_VENUE,
            "advice": "Nothing is opened on old data. Look at the market stream's log.",
        },
        "book-frozen": {
            "title": "An order book has stopped", "reading": "book_age", "comparison": ABOVE, "threshold": D(120),
            "for_seconds": 30, **_OF_VENUE,
            "advice": "One subscription is frozen while others flow: restart that stream if it does not mend itself.",
        },
        "errors": {
            "title": "Requests fail", "reading": "error_rate", "threshold": D("0.2"), "for_seconds": 60, **_OF_VENUE,
            "advice": "See venue_status: is it the venue, the network, or our key?",
        },
        "limiter": {
            "title": "A venue's budget is nearly spent", "reading": "limiter_use", "threshold": D("0.9"),
            "for_seconds": 60, **_OF_VENUE,
            "advice": "Cancels have a lane of their own; quotes will come late. Tick less often, or spread accounts.",
        },
        "unreconciled": {
            "title": "What was missed is not asked for yet", "reading": "unreconciled", "threshold": D(1),
            "for_seconds": 120, "muted_by": ["venue-down"], "group": "books",
            "advice": "The account's stream was down and reconciliation does not get through: run reconcile by hand.",
        },
        "drawdown": {
            "title": "Drawdown is near its limit", "reading": "drawdown_use", "threshold": D("0.8"), "for_seconds": 10,
            "group": "money", **_URGENT, "unknown_severity": "",
            "advice": "The breaker trips at the limit. Reduce or pause now if you would rather choose the moment.",
        },
        "day-loss": {
            "title": "The day's loss is near its limit", "reading": "day_loss_use", "threshold": D("0.8"),
            "for_seconds": 10, "group": "money", **_URGENT, "unknown_seconds": 15 * MINUTE,
            "advice": "The breaker trips at the limit. Look at who loses before it does.",
        },
        "limits-full": {
            "title": "A limit is nearly full", "reading": "limit_use", "threshold": D("0.95"),
            "for_seconds": 5 * MINUTE, "severity": INFO, "group": "money", "unknown_severity": "", **_BY_DAY,
            "advice": "Orders beyond it are refused. Raise the limit, or let it hold.",
        },
        "breaker": {
            "title": "A breaker is open", "reading": "breaker_open", "threshold": D(1), "severity": CRITICAL,
            "group": "stops", "advice": "It has stopped its scope by itself. Understand why before it is reset.",
        },
        "halt": {
            "title": "A halt stands", "reading": "halt_engaged", "threshold": D(1), "severity": WARNING,
            "group": "stops", "advice": "Somebody or something pulled the kill switch; release it when understood.",
        },
        "halt-not-done": {
            "title": "A halt does not get done", "reading": "halt_open_seconds", "comparison": ABOVE,
            "threshold": D(60), "group": "stops", **_URGENT,
            "advice": "Orders may still rest at the venue. Cancel there by hand, or with kill_switch --direct.",
        },
        "halt-not-flat": {
            "title": "A halt could not close a position", "reading": "halts_not_flat", "threshold": D(1),
            "group": "stops", **_URGENT, "advice": "Close it at the venue by hand.",
        },
        "drill": {
            "title": "The kill switch's rehearsal failed", "reading": "drill_failed", "threshold": D(1),
            "severity": WARNING, "group": "stops", **_BY_DAY, "advice": "Read what it found, mend it, rehearse again.",
        },
        "second-writer": {
            "title": "Somebody else trades on the account", "reading": "second_writers", "threshold": D(1),
            "group": "books", **_URGENT, "advice": "Another bot, or a person with our key. Rotate the key if in doubt.",
        },
        "foreign-order": {
            "title": "An order or position that is not ours", "reading": "foreign_orders", "threshold": D(1),
            "group": "books", "muted_by": ["second-writer"],
            "advice": "It counts as risk and belongs to nobody: assign it, or close it.",
        },
        "orphan-fill": {
            "title": "A fill whose order we do not know", "reading": "orphan_fills", "threshold": D(1),
            "group": "books", "for_seconds": 60, "advice": "It is attached when its order appears; if it stays, look.",
        },
        "overfill": {
            "title": "More filled than ordered", "reading": "overfills", "threshold": D(1), "group": "books",
            "advice": "The ledger holds what was filled. Compare with the venue's own history.",
        },
        "drift": {
            "title": "Ledger and venue differ", "reading": "symbols_differing", "threshold": D(1),
            "for_seconds": 60, "group": "books", **_URGENT, "muted_by": ["venue-down"],
            "advice": "Nothing opens there until it is explained. Run reconcile, then compare with the venue.",
        },
        "drift-found": {
            "title": "A difference was found in the books", "reading": "drifts", "threshold": D(1), "group": "books",
            "muted_by": ["drift"], "advice": "Explained or not, see the account's events.",
        },
        "order-unknown": {
            "title": "Nobody knows what became of an order", "reading": "order_unknown_seconds", "comparison": ABOVE,
            "threshold": D(90), "group": "books", **_URGENT, "muted_by": ["venue-down"],
            "advice": "It counts as live until the venue has answered. Ask the venue yourself if it stays so.",
        },
        "no-stop": {
            "title": "A position has no stop", "reading": "position_unprotected", "threshold": D(1), "for_seconds": 60,
            "group": "money", **_URGENT, "advice": "Its stop was to be there and is not: set one, or close it.",
        },
        "stop-lost": {
            "title": "A stop was lost or overrun", "reading": "stops_lost", "threshold": D(1), "group": "money",
            "muted_by": ["no-stop"], "advice": "See the account's events for which.",
        },
        "dead-man": {
            "title": "The venue cancelled for want of a sign of life", "reading": "dead_man", "threshold": D(1),
            "group": "venues", "advice": "We were silent for too long, or the venue took no new deadline.",
        },
        "credentials": {
            "title": "The venue refuses our key", "reading": "credential_alarms", "threshold": D(1), "group": "books",
            **_URGENT, "advice": "Revoked, expired, or from a wrong address: exits may be refused as well.",
        },
        "process-down": {
            "title": "A process does not work", "reading": "process_down", "threshold": D(1), "for_seconds": 30,
            **_URGENT, **_PLATFORM, "advice": "Its supervisor starts it anew; if it comes and goes, read its log.",
        },
        "budget-burns": {
            "title": "An error budget burns", "reading": "budget_burn_hour", "comparison": ABOVE,
            "threshold": D("14.4"), "for_seconds": 2 * MINUTE, **_PLATFORM, "unknown_severity": "",
            "muted_by": ["source-down"], "advice": "At this rate it lasts two days: see /slo/ for what is missed.",
        },
        "budget-burns-slowly": {
            "title": "An error budget will not last", "reading": "budget_burn_3_days", "comparison": ABOVE,
            "threshold": D(1), "for_seconds": HOUR, "severity": INFO, **_PLATFORM, "unknown_severity": "", **_BY_DAY,
            "advice": "Mend what misses the objective, or promise less: docs/health.md.",
        },
        "queue-long": {
            "title": "A queue is long", "reading": "queue_length", "threshold": D(1_000), "for_seconds": 60,
            **_PLATFORM, "muted_by": ["source-down"], "advice": "Its worker is gone or too slow; messages expire.",
        },
        "queue-old": {
            "title": "Work is not taken up", "reading": "queue_age", "comparison": ABOVE, "threshold": D(30),
            "for_seconds": 15, **_URGENT, **_PLATFORM, "muted_by": ["source-down"],
            "advice": "Nobody serves the queue: is its worker alive?",
        },
        "ticks-fail": {
            "title": "A strategy's ticks fail", "reading": "tick_failures", "threshold": D("0.5"), "for_seconds": 60,
            "group": "strategies", "muted_by": ["source-down", "queue-old"],
            "advice": "Its error is on its page; three overruns pause it by themselves.",
        },
        "not-ticking": {
            "title": "A strategy is not made due", "reading": "tick_age", "comparison": ABOVE, "threshold": D(5),
            "for_seconds": 60, "group": "strategies", "muted_by": ["source-down", "beat-silent"],
            "unknown_seconds": 15 * MINUTE, "advice": "Is beat alive, and does its schedule hold the cadence?",
        },
        "beat-silent": {
            "title": "Beat is silent", "reading": "beat_silence", "comparison": ABOVE, "threshold": D(600),
            "for_seconds": 30, **_URGENT, **_PLATFORM, "muted_by": ["source-down"],
            "advice": "Nothing is made due by the clock: reconciliation and equity marks stand still too.",
        },
        "correlations-old": {
            "title": "Correlations are old", "reading": "correlation_age", "comparison": ABOVE, "threshold": D(1_800),
            **_PLATFORM, "muted_by": ["source-down", "beat-silent"], **_BY_DAY,
            "advice": "After an hour nobody shares a limit any more: see the task in Flower.",
        },
        "audit-broken": {
            # The triggers are away while `migrate` changes tables.
            "title": "The audit trail was touched", "reading": "audit_broken", "threshold": D(1), "for_seconds": MINUTE,
            **_URGENT, **_PLATFORM,
            "advice": "Run audit verify with the last anchor noted. Did migrate fail? Else somebody has the database.",
        },
        "disk-full": {
            "title": "A disk is nearly full", "reading": "disk_use", "threshold": D("0.9"), "for_seconds": 60,
            **_PLATFORM, "advice": "The database stops when it is full. Lower how long market data is kept.",
        },
        "not-delivered": {
            "title": "A channel does not deliver", "reading": "delivery_failures", "threshold": D(3), **_PLATFORM,
            "advice": "Its fall-back has the messages. Send a test from the admin.",
        },
    }
)  # fmt: skip


def seed() -> None:
    """Create what is missing; safe to run twice and at once."""
    for slug, values in RULES.items():
        AlertRule.objects.get_or_create(slug=slug, defaults={**values, "updated_by": "seed"})
