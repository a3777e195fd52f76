"""Accounts, what is held on them, what has been traded; positions taken over by hand and given back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from apps.exchanges.models import Account, ScopeKind, TradingMode, TradingState
from apps.monitor.api.accounts.lines import FILLS, POSITIONS, about
from apps.monitor.api.accounts.schemas import (
    AccountList,
    FillTold,
    Handover,
    HeldTold,
    PositionTold,
    account_told,
    held_told,
)
from apps.monitor.api.instruments import instrument_named
from apps.monitor.api.lines import Lines
from apps.monitor.api.moments import Moment
from apps.monitor.api.paging import Before, Limit, Page, Word
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE
from apps.strategies.by_hand.taking import position_return, position_take
from moondev.domain.clock import process_clock

Accounts = Annotated[Caller, Depends(allowed("exchanges.view_account"))]
Positions = Annotated[Caller, Depends(allowed("exchanges.view_position"))]
Fills = Annotated[Caller, Depends(allowed("exchanges.view_fill"))]
Taker = Annotated[Caller, Depends(critical("exchanges.change_position"))]

router = APIRouter(tags=["accounts"])


@router.get("/accounts", responses=READ)
async def accounts(_: Accounts) -> AccountList:
    """List every account with its own trading state."""
    return await in_thread(_accounts)


@router.get("/positions", responses=READ, response_model=Page[PositionTold])
async def positions(
    _: Positions,
    account: Word = None,
    strategy: Word = None,
    instrument: Word = None,
    open_only: Annotated[bool, Query(description="Only what is held now, not what was once.")] = True,  # noqa: FBT002  a query
    before: Before = None,
    limit: Limit = 200,
) -> Response:
    """List positions by owner, newest row first."""
    chosen = about(POSITIONS, account=account, strategy=strategy, instrument=instrument)
    chosen = chosen.where("quantity <> 0") if open_only else chosen
    return await in_thread(_newest(chosen, before).page, "p.id DESC", limit)


@router.post("/positions/take", responses=WRITE, dependencies=KEYED)
async def take(asked: Handover, caller: Taker) -> HeldTold:
    """Take a position over from a strategy, which is paused; its stops come along."""
    return await in_thread(_take, asked, caller.username)


@router.post("/positions/return", responses=WRITE, dependencies=KEYED)
async def give_back(asked: Handover, caller: Taker) -> HeldTold:
    """Give a position back to its strategy, which goes on when nothing of it is held by hand any more."""
    return await in_thread(_give_back, asked, caller.username)


@router.get("/fills", responses=READ, response_model=Page[FillTold])
async def fills(
    _: Fills,
    account: Word = None,
    strategy: Word = None,
    instrument: Word = None,
    since: Annotated[Moment | None, Query(description="Only those at the venue from then on.")] = None,
    until: Annotated[Moment | None, Query(description="Only those at the venue before then.")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """List trades, newest first."""
    chosen = about(FILLS, account=account, strategy=strategy, instrument=instrument)
    chosen = chosen if since is None else chosen.where("time_exchange >= %s", since)
    chosen = chosen if until is None else chosen.where("time_exchange < %s", until)
    return await in_thread(_newest(chosen, before).page, "f.id DESC", limit)


def _newest(lines: Lines, before: int | None) -> Lines:
    return lines if before is None else lines.where("id < %s", before)


def _accounts() -> AccountList:
    states = TradingState.objects.filter(scope_kind=ScopeKind.ACCOUNT).values_list("scope_key", "mode")
    modes = dict(states)
    rows = Account.objects.select_related("venue").order_by("code")
    return AccountList(items=[account_told(row, modes.get(row.code, TradingMode.HALTED.value)) for row in rows])


def _take(asked: Handover, actor: str) -> HeldTold:
    instrument, now = instrument_named(asked.instrument), process_clock().now()
    held = position_take(strategy=asked.strategy, instrument=instrument, reason=asked.reason, actor=actor, now=now)
    return held_told("by hand", held)


def _give_back(asked: Handover, actor: str) -> HeldTold:
    instrument, now = instrument_named(asked.instrument), process_clock().now()
    held = position_return(strategy=asked.strategy, instrument=instrument, reason=asked.reason, actor=actor, now=now)
    return held_told(asked.strategy, held)
