"""May this leave now? Asked after the claim and immediately before signing, once per request.

Of all scopes an order lies in the strictest mode binds, and any of three sources can make it stricter: the SQL rows,
the hash in Redis, the file on this machine. A portfolio or account without a row is HALTED: silence is safe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.bulk import fetch, values_fetch
from apps.exchanges.execution.nudges import EVERYTHING, Scope, halt_file_mode, redis_nudges
from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import UNASSIGNED, ScopeKind, TradingMode
from moondev.domain.clock import process_clock
from moondev.domain.orders import NON_FINAL

STRICTNESS = (TradingMode.ACTIVE, TradingMode.REDUCING, TradingMode.HALTED)
# A position nobody owns stops opening; for so many real seconds it may merely be waiting for its order's id.
UNASSIGNED_GRACE_SECONDS = 10.0
# An account whose venue has not answered for all its fills within so many real seconds opens nothing: what we hold is
# not known any more. It is asked once a minute, after every reconnect and at start.
UNRECONCILED_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class GateScope:
    """Everything an order lies in: codes, the strategy's slug and the instrument's key."""

    portfolio: str
    venue: str
    account: str
    strategy: str
    instrument: str

    @classmethod
    def of(cls, account: AccountFacts, strategy: str, instrument: str) -> GateScope:
        """Return the scope of an order of an account."""
        return cls(account.portfolio, account.venue, account.code, strategy, instrument)

    @property
    def names(self) -> tuple[Scope, ...]:
        """Return the rows that speak about it, widest first."""
        return (
            EVERYTHING,
            (ScopeKind.PORTFOLIO.value, self.portfolio),
            (ScopeKind.VENUE.value, self.venue),
            (ScopeKind.ACCOUNT.value, self.account),
            (ScopeKind.STRATEGY.value, self.strategy),
            (ScopeKind.INSTRUMENT.value, self.instrument),
        )


def strictest(modes: Iterable[TradingMode]) -> TradingMode:
    """Return the mode that binds; ACTIVE when there is none."""
    return max(modes, key=STRICTNESS.index, default=TradingMode.ACTIVE)


def gate_modes(scopes: Iterable[GateScope], now: datetime) -> dict[GateScope, TradingMode]:
    """Return the mode that binds each scope this moment, from all three sources."""
    wanted = set(scopes)
    rows = _sql_modes({name for scope in wanted for name in scope.names})
    nudged = redis_nudges().modes()
    machine = halt_file_mode()
    unowned = _unowned(wanted, now)
    unsure = _unsure(wanted, now)
    return {
        scope: strictest(
            [
                machine,
                TradingMode.REDUCING if (scope.account, scope.instrument) in unowned else TradingMode.ACTIVE,
                TradingMode.REDUCING if unsure.covers(scope) else TradingMode.ACTIVE,
                *(rows.get(name, _unsaid(name)) for name in scope.names),
                *(nudged[name] for name in scope.names if name in nudged),
            ]
        )
        for scope in wanted
    }


def passes(mode: TradingMode, *, reduces: bool) -> bool:
    """Return whether an order may leave under `mode`; one that reduces passes REDUCING."""
    return mode is TradingMode.ACTIVE or (mode is TradingMode.REDUCING and reduces)


def _unsaid(name: Scope) -> TradingMode:
    needs_a_row = name[0] in {ScopeKind.PORTFOLIO.value, ScopeKind.ACCOUNT.value}
    return TradingMode.HALTED if needs_a_row else TradingMode.ACTIVE


def _sql_modes(names: Iterable[Scope]) -> Mapping[Scope, TradingMode]:
    rows = values_fetch(
        "SELECT s.scope_kind, s.scope_key, s.mode FROM exchanges_tradingstate s"
        " JOIN (VALUES %s) AS v(kind, key) ON s.scope_kind = v.kind AND s.scope_key = v.key",
        sorted(names),
    )
    return {(kind, key): TradingMode(mode) for kind, key, mode in rows}


def _unowned(scopes: Iterable[GateScope], now: datetime) -> frozenset[tuple[str, str]]:
    """Return the (account, instrument) pairs where somebody else is at it.

    There is a position that nobody owns, for longer than a moment, or an order that nobody here placed and that opens.
    """
    accounts = sorted({scope.account for scope in scopes})
    rows = fetch(
        "SELECT a.code, i.venue_id, i.symbol FROM exchanges_position p JOIN exchanges_account a ON a.id = p.account_id"
        " JOIN exchanges_instrument i ON i.id = p.instrument_id"
        " WHERE p.strategy = %s AND p.quantity <> 0 AND p.updated_at < %s AND a.code = ANY(%s)"
        " UNION SELECT a.code, i.venue_id, i.symbol FROM exchanges_order o JOIN exchanges_account a"
        " ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id WHERE o.strategy = %s"
        " AND o.purpose = 'opening' AND o.status = ANY(%s) AND a.code = ANY(%s)",
        (
            *(UNASSIGNED, now - lasting(process_clock(), UNASSIGNED_GRACE_SECONDS), accounts),
            *(UNASSIGNED, sorted(NON_FINAL), accounts),
        ),
    )
    return frozenset((account, f"{venue}:{symbol}") for account, venue, symbol in rows)


@dataclass(frozen=True, slots=True)
class _Unsure:
    """Accounts, and symbols of accounts, of which we do not know what we hold."""

    accounts: frozenset[str]
    symbols: frozenset[tuple[str, str]]

    def covers(self, scope: GateScope) -> bool:
        symbol = scope.instrument.removeprefix(f"{scope.venue}:")
        return scope.account in self.accounts or (scope.account, symbol) in self.symbols


def _unsure(scopes: Iterable[GateScope], now: datetime) -> _Unsure:
    """Return what has not been reconciled for too long, and where ledger and venue differ for no known reason.

    An account that was never asked about has no past here; adopting it, or its first connection, asks.
    """
    before = now - lasting(process_clock(), UNRECONCILED_SECONDS)
    rows = fetch(
        "SELECT code, fills_known_until < %s, differing FROM exchanges_account WHERE code = ANY(%s)"
        " AND (fills_known_until < %s OR differing <> '[]'::jsonb)",
        (before, sorted({scope.account for scope in scopes}), before),
    )
    accounts = frozenset(code for code, stale, _ in rows if stale)
    return _Unsure(accounts, frozenset((code, symbol) for code, _, differing in rows for symbol in _symbols(differing)))


def _symbols(differing: object) -> list[str]:
    """Return the symbols of a JSON column, which the driver hands out as text or as a list."""
    found = json.loads(differing) if isinstance(differing, str) else differing
    return [str(symbol) for symbol in found] if isinstance(found, list) else []
