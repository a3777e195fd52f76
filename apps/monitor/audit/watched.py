"""Of which tables every change is written into the audit trail, whoever makes it: admin, API, command or process."""

from __future__ import annotations

from dataclasses import dataclass

INSERTED, CHANGED = "INSERT", "INSERT OR DELETE OR UPDATE"


@dataclass(frozen=True, slots=True)
class Watched:
    """A table. `subject` are the columns that name a row, `omitted` those that change without anybody's doing.

    `hidden` are columns of which the trail says only that they changed. `events` INSERTED is for tables that are
    histories themselves.
    """

    table: str
    label: str
    subject: tuple[str, ...]
    omitted: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    events: str = CHANGED


SCOPE = ("scope_kind", "scope_key")
# What a person says of an alert.
ANSWERED = "UPDATE OF acknowledged_by, acknowledged_at, label"
ALERTS_OWN = (
    "within", "detail", "value", "threshold", "state", "clear_since", "resolved_at", "seen_at", "count", "told_at",
    "reminded_at", "escalated_at", "closed_told", "held",
)  # fmt: skip

WATCHED = (
    # Who may do what.
    Watched("auth_user", "user", ("username",), ("last_login",), ("password",)),
    Watched("auth_user_groups", "user's role", ("user_id", "group_id")),
    Watched("auth_user_user_permissions", "user's permission", ("user_id", "permission_id")),
    Watched("auth_group", "role", ("name",)),
    Watched("auth_group_permissions", "role's permission", ("group_id", "permission_id")),
    Watched("monitor_apitoken", "API token", ("name", "prefix"), ("last_used_at", "last_used_from"), ("digest",)),
    # Who is told.
    Watched("monitor_channel", "channel", ("slug",), ("free_at", "quiet_until", "failures_in_row")),
    Watched("monitor_telegramuser", "Telegram user", ("telegram_id",)),
    Watched("monitor_reportrecipient", "report's recipient", ("address",)),
    # Where money is and how it is reached.
    Watched("exchanges_venue", "venue", ("code",)),
    Watched("exchanges_portfolio", "portfolio", ("code",)),
    Watched(
        "exchanges_account", "account", ("code",),
        ("sender", "sender_until", "fence", "fills_known_until", "unreconciled", "differing"),
    ),
    Watched("exchanges_signer", "signer", ("account_id", "purpose"), ("last_nonce",)),
    Watched("exchanges_transfer", "transfer", ("account_id", "reference")),
    # What may trade, and what stopped it.
    Watched("exchanges_tradingstate", "trading state", SCOPE),
    Watched("exchanges_veto", "veto", (*SCOPE, "venue_id"), ("worker", "worker_until", "kept")),
    Watched("exchanges_accountevent", "account event", ("account_id", "kind"), events=INSERTED),
    Watched("risk_limit", "limit", ("kind", *SCOPE)),
    Watched("risk_limitchange", "limit's change", ("limit_id", "version"), events=INSERTED),
    Watched("risk_customrule", "rule", ("name",)),
    Watched("risk_breaker", "breaker", ("code",)),
    Watched("risk_breakerchange", "breaker's turn", ("breaker_id", *SCOPE), events=INSERTED),
    Watched("risk_riskevent", "risk event", ("kind", *SCOPE), events=INSERTED),
    # Strategies, and how far they have come.
    Watched("strategies_strategy", "strategy", ("slug",), ("state", "state_version", "overruns")),
    Watched("strategies_strategyinstrument", "strategy's instrument", ("strategy_id", "instrument_id")),
    Watched("strategies_strategyevent", "strategy event", ("strategy", "kind"), events=INSERTED),
    Watched("strategies_desk", "desk", ("account_id",)),
    Watched("strategies_gate", "gate", ("stage", "requirement")),
    Watched("strategies_stageterms", "stage's terms", ("stage",)),
    Watched("strategies_stageapproval", "approval", ("strategy_id", "stage")),
    Watched("strategies_stagechange", "stage's change", ("strategy_id",), events=INSERTED),
    Watched("strategies_strategysource", "strategy's code", ("kind",), ("seen_at", "files")),
    Watched("strategies_backtestrun", "backtest", ("id", "title"), ("request",), events=INSERTED),
    Watched("strategies_optimisationrun", "optimisation", ("id", "title"), ("plan",), events=INSERTED),
    Watched(
        "django_celery_beat_periodictask", "schedule", ("name",), ("last_run_at", "total_run_count", "date_changed")
    ),
    # Who is woken for what, and who has seen to it. An alert's own life is in its row.
    Watched("monitor_alertrule", "alert rule", ("slug",), ("updated_at",)),
    Watched("monitor_alert", "alert", ("rule_id", "scope"), ALERTS_OWN, events=ANSWERED),
    # What is promised.
    Watched("monitor_slo", "service level objective", ("slug",)),
    # Whatever else is edited in the admin.
    Watched("django_admin_log", "admin's edit", ("object_repr",), events=INSERTED),
)  # fmt: skip
