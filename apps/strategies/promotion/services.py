"""What people may do with a strategy's stage: approve it, promote it, certify a new version, demote it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.db import transaction

from apps.exchanges.models import Account, Environment
from apps.strategies.models import Gate, Requirement, Stage, StageApproval, StageChange, StrategyEvent, StrategyRow
from apps.strategies.orchestrator.withdraw import withdraw_openings
from apps.strategies.promotion.evidence import APPROVE, Version, authors_of, evidence_of, version_of
from apps.strategies.promotion.gates import Evidence, Verdict, judge
from apps.strategies.promotion.reference import reference_returns
from apps.strategies.promotion.stages import ORDER, REAL_MONEY, may_trade, stage_after, stage_before
from apps.strategies.promotion.steps import Step, expected_of, take
from apps.strategies.promotion.track_record import expectation
from apps.strategies.services import strategy_move
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import InvalidValue

# What a new version of a strategy that trades real money already has to show; its days cannot be shown beforehand.
ASKED_OF_A_NEW_VERSION = frozenset({Requirement.CHECKS, Requirement.APPROVALS})


class Person(Protocol):
    """A user, as far as an approval has to know one."""

    is_active: bool

    def get_username(self) -> str:
        """Return the name under which the approval is kept."""

    def has_perm(self, perm: str) -> bool:
        """Return whether the user has a permission."""


def next_step(row: StrategyRow, version: Version) -> Stage:
    """Return the stage whose gates lie before the strategy now: its own, when its version has not passed them.

    Raises InvalidValue when nothing lies before it.
    """
    stage = Stage(row.stage)
    if stage in REAL_MONEY and not _certified(row, version):
        return stage
    return stage_after(stage)


def verdicts(row: StrategyRow, to: Stage, now: datetime) -> list[Verdict]:
    """Return what each enabled gate to stage `to` says now, in the order in which gates are named."""
    return _judged(row, to, evidence_of(row, to, now))


@transaction.atomic
def stage_approve(strategy_id: int, *, to: Stage, user: Person, reason: str, now: datetime) -> StageApproval:
    """Note that `user` lets the strategy's present version into stage `to`; once is enough.

    Raises InvalidValue for an author of the strategy, somebody without the permission, and another stage than the
    next; no reason is none either.
    """
    row = _locked(strategy_id)
    version, name = version_of(row), user.get_username()
    _require_next(row, to, version)
    if not (user.is_active and user.has_perm(APPROVE)):
        raise InvalidValue("approver", name, f"an active user with the permission {APPROVE}")
    if name in authors_of(row):
        raise InvalidValue("approver", name, f"somebody other than its authors ({', '.join(sorted(authors_of(row)))})")
    _require_reason(reason)
    approval, created = StageApproval.objects.get_or_create(
        strategy=row, stage=to, parameters_version=version.parameters_version, code_hash=version.code_hash,
        approver=name, defaults={"reason": reason[:300], "at": now},
    )  # fmt: skip
    if created:
        _event(row, now, f"by {name}: approved for {to}: {reason}")
    return approval


@transaction.atomic
def stage_promote(
    strategy_id: int, *, to: Stage, actor: str, reason: str, now: datetime, account: Account | None = None
) -> StrategyRow:
    """Take the next step up: every enabled gate has to pass.

    `account` is where real money is, when the strategy is on paper now: it is moved there, to the instruments of the
    same symbols, which wants it disabled, flat and without orders. A new version of what trades real money already
    stays in its stage (`to` names it) and has to pass those gates again that do not take days. Raises InvalidValue
    that names each gate which did not pass.
    """
    row = _locked(strategy_id)
    version = version_of(row)
    _require_next(row, to, version)
    _require_reason(reason)
    evidence = evidence_of(row, to, now)
    answers = _judged(row, to, evidence)
    refused = [answer for answer in answers if not answer.passed]
    if refused:
        raise InvalidValue(
            "gates", "; ".join(f"{answer.requirement}: {answer.words}" for answer in refused), f"all passed to {to}"
        )
    _move(row, to, account, actor, now)
    returns = reference_returns(row, version.code_hash)
    expected = None if returns is None else expectation(returns)
    told = {answer.requirement: answer.words for answer in answers}
    take(row, Step(to, actor, reason, version.code_hash, told, expected), now)
    return row


@transaction.atomic
def stage_skip(
    strategy_id: int, *, to: Stage, actor: str, reason: str, now: datetime, account: Account | None = None
) -> StrategyRow:
    """Put a strategy into a stage without asking the gates; only where the settings allow it (development)."""
    if not settings.MOONDEV_GATES_MAY_BE_SKIPPED:
        raise InvalidValue("gates", "skipped", "passed; they are skipped nowhere but in development")
    row = _locked(strategy_id)
    _require_reason(reason)
    _move(row, to, account, actor, now)
    take(row, Step(to, actor, f"gates skipped: {reason}", version_of(row).code_hash), now)
    return row


def stage_demote(
    strategy_id: int, *, actor: str, reason: str, now: datetime, to: Stage | None = None, clock: Clock | None = None
) -> StrategyRow:
    """Take a strategy down, one stage or to `to`. Nobody is asked: less risk needs no permission.

    Below its account's money it may only reduce from now on, and what rests to open is cancelled at once; what has not
    passed the gates passes none by this, and what was expected of it still is. Raises InvalidValue for a stage not
    below.
    """
    row = _demote(strategy_id, actor, reason, now, to)
    if not may_trade(Stage(row.stage), Environment(row.account.venue.environment)):
        withdraw_openings(row.slug, "its stage forbids to open", clock or process_clock())
    return row


@transaction.atomic
def _demote(strategy_id: int, actor: str, reason: str, now: datetime, to: Stage | None) -> StrategyRow:
    row = _locked(strategy_id)
    stage = Stage(row.stage)
    target = stage_before(stage) if to is None else to
    if ORDER.index(target) >= ORDER.index(stage):
        raise InvalidValue("stage", target.value, f"one below {stage.value}")
    _require_reason(reason)
    expected = expected_of(row)
    step = Step(target, actor, reason, row.certified_hash, {}, expected, certified_version=row.certified_version)
    take(row, step, now)
    return row


def history(row: StrategyRow) -> list[StageChange]:
    """Return the steps of a strategy, newest first."""
    return list(row.stage_changes.all())


def _judged(row: StrategyRow, to: Stage, evidence: Evidence) -> list[Verdict]:
    gates = {Requirement(gate.requirement): gate for gate in Gate.objects.filter(stage=to, enabled=True)}
    if to is Stage(row.stage):
        gates = {name: gate for name, gate in gates.items() if name in ASKED_OF_A_NEW_VERSION}
    answers = [judge(name, gates[name].threshold, evidence) for name in Requirement if name in gates]
    if to in REAL_MONEY and not evidence.approvers:
        # Whatever the table says: nobody lets his own strategy at real money.
        answers = [answer for answer in answers if answer.requirement != Requirement.APPROVALS]
        answers.append(Verdict(Requirement.APPROVALS.value, False, "nobody but its authors has approved it"))
    return answers


def _move(row: StrategyRow, to: Stage, account: Account | None, actor: str, now: datetime) -> None:
    target = account or row.account
    if to in REAL_MONEY and target.venue.environment != Environment.LIVE:
        raise InvalidValue("account", target.code, "one at a live venue, where the strategy is to trade from now on")
    if account is not None and account.pk != row.account_id:
        strategy_move(row.pk, account=account, actor=actor, now=now)
        row.refresh_from_db()


def _certified(row: StrategyRow, version: Version) -> bool:
    return asdict(version) == {"code_hash": row.certified_hash, "parameters_version": row.certified_version}


def _require_next(row: StrategyRow, to: Stage, version: Version) -> None:
    wanted = next_step(row, version)
    if to is not wanted:
        raise InvalidValue("stage", to.value, f"{wanted.value}, the next for a strategy in {row.stage}")


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")


def _locked(strategy_id: int) -> StrategyRow:
    rows = StrategyRow.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("account__venue").get(pk=strategy_id)


def _event(row: StrategyRow, now: datetime, message: str) -> None:
    StrategyEvent.objects.create(strategy=row.slug, at=now, kind="stage", message=message)
