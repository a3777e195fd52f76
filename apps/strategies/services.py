"""What people may do with strategies. Every change is checked first and leaves an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.exchanges import selectors
from apps.exchanges.market_data.wishes import wishes_clear, wishes_extend, wishes_set
from apps.exchanges.models import Account, Environment, InstrumentRow
from apps.risk.sizing.book import read_sizing
from apps.strategies.base import JSONValue
from apps.strategies.models import Routing, Stage, StrategyEvent, StrategyInstrument, StrategyRow, Tick, Trigger
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import Due, Enabled
from apps.strategies.orchestrator.loader import load
from apps.strategies.orchestrator.schedule import schedule_sync
from apps.strategies.orchestrator.withdraw import withdraw_stopped
from apps.strategies.places import abroad_of, instruments_fit, places
from apps.strategies.promotion.stages import REAL_MONEY, may_trade
from apps.strategies.promotion.steps import Step, take
from apps.strategies.registry import parameters_for, strategy_class
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Needs

MANUAL = "manual"


class Settings(TypedDict, total=False):
    """What may be set of a strategy besides its idea, account and instruments; absent is unchanged or default."""

    trigger: str
    cadence_seconds: int
    book_move_bps: Decimal
    deadline_ms: int
    priority: int
    capital: Decimal
    leverage: Decimal
    reprice_bps: Decimal
    slippage_bps: Decimal


@dataclass(frozen=True, slots=True)
class StandIn:
    """The same thing as one of a strategy's instruments, at another venue, and the account that trades it there."""

    stands_in_for: InstrumentRow
    instrument: InstrumentRow
    account: Account


@transaction.atomic
def strategy_create(
    *,
    slug: str,
    kind: str,
    parameters: Mapping[str, JSONValue],
    account: Account,
    instruments: Sequence[InstrumentRow],
    actor: str,
    now: datetime,
    accounts_abroad: Sequence[Account] = (),
    **chosen: Unpack[Settings],
) -> StrategyRow:
    """Create a strategy, not enabled yet.

    `accounts_abroad` trade the instruments that are of their venues: one account a venue, of the same portfolio and
    currency as `account`. Raises Configuration for an unknown kind and InvalidValue naming the field that is wrong.
    """
    checked, by = _checked(kind, parameters), {"created_by": actor, "edited_by": actor}
    row = StrategyRow(slug=slug, kind=kind, account=account, parameters=checked, **by, **chosen)
    placed = places(account, accounts_abroad, instruments)
    _save(row, instruments)
    _link(row, placed)
    _event(row, now, "created", f"by {actor}")
    return row


@transaction.atomic
def strategy_update(
    strategy_id: int,
    *,
    actor: str,
    now: datetime,
    parameters: Mapping[str, JSONValue] | None = None,
    instruments: Sequence[InstrumentRow] | None = None,
    accounts_abroad: Sequence[Account] | None = None,
    **chosen: Unpack[Settings],
) -> StrategyRow:
    """Change a strategy; new parameters are a new version and bind its next tick.

    So are other instruments, and with real money or an approval more capital or leverage: nobody has let that pass.
    Raises InvalidValue naming the field that is wrong; instruments change only while it is disabled, flat and without
    orders, for nobody would look after what it leaves behind. `accounts_abroad` go with the instruments; None leaves
    them as they are.
    """
    row = _locked(strategy_id)
    before = _judged(row)
    if parameters is not None:
        row.parameters = _checked(row.kind, parameters)
    for name, value in chosen.items():
        setattr(row, name, value)
    if instruments is not None:
        _may_change_instruments(row)
        abroad = abroad_of(row) if accounts_abroad is None else accounts_abroad
        _link(row, places(row.account, abroad, instruments))
        row.routing = Routing.HOME
    if _is_another(_judged(row), before, vouched_for=_vouched_for(row)):
        row.parameters_version += 1
        row.edited_by = actor
    _save(row, _instruments_of(row))
    _event(row, now, "updated", f"by {actor}: version {row.parameters_version}")
    if row.enabled:
        _wish(row)
        schedule_sync()
    return row


@transaction.atomic
def strategy_enable(strategy_id: int, *, actor: str, now: datetime) -> StrategyRow:
    """Let a strategy run; what paused it before is forgotten.

    Raises InvalidValue when its account is disabled, its stage does not trade on such an account, its parameters no
    longer fit, or another enabled strategy has one of its instruments.
    """
    row = _locked(strategy_id)
    if not row.account.enabled:
        raise InvalidValue("account", row.account.code, "an enabled account")
    _require_stage(row, actor, now)
    places(row.account, abroad_of(row), _instruments_of(row))
    _checked(row.kind, row.parameters)
    _own(row)
    row.enabled, row.paused_reason, row.overruns = True, "", 0
    row.save(update_fields=["enabled", "paused_reason", "overruns"])
    _wish(row)
    _event(row, now, "enabled", f"by {actor}")
    schedule_sync()
    return row


def strategy_disable(strategy_id: int, *, actor: str, now: datetime, clock: Clock | None = None) -> StrategyRow:
    """Stop a strategy and take its orders out of the market; its stops stay, and so does what it holds."""
    with transaction.atomic():
        row = _locked(strategy_id)
        row.enabled = False
        row.save(update_fields=["enabled"])
        StrategyInstrument.objects.filter(strategy=row).update(exclusive=False)
        wishes_clear(row.slug)
        _event(row, now, "disabled", f"by {actor}")
        schedule_sync()
    withdraw_stopped(clock or process_clock())
    return row


def strategy_pause(
    strategy_id: int, *, reason: str, actor: str, now: datetime, clock: Clock | None = None
) -> StrategyRow:
    """Stop a strategy for a while: it keeps its instruments, and its orders are taken out of the market."""
    if not reason:
        raise InvalidValue("reason", reason, "a sentence that says why")
    with transaction.atomic():
        row = _locked(strategy_id)
        row.paused_reason = reason[:300]
        row.save(update_fields=["paused_reason"])
        _event(row, now, "paused", f"by {actor}: {reason}")
        schedule_sync()
    withdraw_stopped(clock or process_clock())
    return row


@transaction.atomic
def strategy_resume(strategy_id: int, *, actor: str, now: datetime) -> StrategyRow:
    """Let a paused strategy run again.

    Raises Configuration when its kind is unknown by now, InvalidValue when its parameters no longer fit.
    """
    row = _locked(strategy_id)
    parameters_for(row.kind, row.parameters)
    row.paused_reason, row.overruns = "", 0
    row.save(update_fields=["paused_reason", "overruns"])
    if row.enabled:
        _wish(row)
    _event(row, now, "resumed", f"by {actor}")
    schedule_sync()
    return row


@transaction.atomic
def strategy_needs_changed(strategy_id: int, needs: Needs) -> None:
    """Have an enabled strategy look at what a new version of its code `needs`; a bar strategy is due by those bars."""
    row = _locked(strategy_id)
    if row.trigger == Trigger.BAR and needs.bars:
        row.cadence_seconds = _shortest(needs)
        row.save(update_fields=["cadence_seconds"])
    if row.enabled:
        _wish_for(row, needs)


@transaction.atomic
def strategy_move(
    strategy_id: int, *, account: Account, actor: str, now: datetime, accounts_abroad: Sequence[Account] = ()
) -> StrategyRow:
    """Have a strategy trade on another account, in what has the same symbols at that account's venue.

    It takes nothing along, no profit between paper and real money either: it must be disabled, flat and without orders.
    Raises InvalidValue otherwise, and for an instrument that is not listed there.
    """
    row = _locked(strategy_id)
    _may_change_instruments(row)
    before, abroad = row.account.code, {one.venue_id: one for one in accounts_abroad}
    home = row.account.venue_id
    wanted = [(account.venue_id if one.venue_id == home else one.venue_id, one.symbol) for one in _instruments_of(row)]
    found = {
        (one.venue_id, one.symbol): one for one in InstrumentRow.objects.filter(venue__in=[account.venue_id, *abroad])
    }
    missing = [f"{venue}:{symbol}" for venue, symbol in wanted if (venue, symbol) not in found]
    if missing:
        raise InvalidValue("instruments", ", ".join(missing), "instruments that the new accounts' venues list")
    placed = places(account, accounts_abroad, [found[key] for key in wanted])
    if account.venue.environment != row.account.venue.environment:
        # Flat, so this is all of it. Paper profit buys nothing with real money, nor does paper loss lower its share.
        made = (one.realised + one.funding - one.fees for one in selectors.holdings([row.slug])[row.slug].values())
        row.profit_elsewhere = sum(made, Decimal(0))
    row.account, row.routing, row.state = account, Routing.HOME, {}
    _link(row, placed)
    _save(row, [instrument for instrument, _ in placed])
    _event(row, now, "moved", f"by {actor}: from {before} to {account.code}")
    return row


@transaction.atomic
def stand_ins_set(
    strategy_id: int, *, stand_ins: Sequence[StandIn], routing: str, actor: str, now: datetime
) -> StrategyRow:
    """Say where else a strategy's new risk may go, best first, and when (`Routing`).

    Raises InvalidValue when a stand-in is not the same thing in the same currency, or its account counts against
    another portfolio; while the strategy is enabled; and while it holds something or has orders.
    """
    row = _locked(strategy_id)
    _may_change_instruments(row)
    if routing not in Routing.values:
        raise InvalidValue("routing", routing, ", ".join(Routing.values))
    if (routing == Routing.HOME) == bool(stand_ins):
        raise InvalidValue("routing", routing, "home without stand-ins, another one with them")
    home = {one.pk: one for one in _instruments_of(row) if one.venue_id == row.account.venue_id}
    for stand_in in stand_ins:
        _stand_in_fits(row, stand_in, home)
    StrategyInstrument.objects.filter(strategy=row).exclude(stands_in_for=None).delete()
    StrategyInstrument.objects.bulk_create(
        [
            StrategyInstrument(
                strategy=row, instrument=s.instrument, account=s.account, stands_in_for=s.stands_in_for, rank=rank
            )
            for rank, s in enumerate(stand_ins, start=1)
        ]
    )
    row.routing = routing
    row.save(update_fields=["routing"])
    where = ", ".join(f"{s.instrument.key} on {s.account.code}" for s in stand_ins) or "nowhere else"
    _event(row, now, "routing", f"by {actor}: {routing}: {where}")
    return row


def _require_stage(row: StrategyRow, actor: str, now: datetime) -> None:
    """Raise InvalidValue when the strategy's stage does not trade on its account.

    Where gates may be skipped an idea goes to paper by being enabled: a demo has no days to wait. To real money it
    never does.
    """
    stage, environment = Stage(row.stage), Environment(row.account.venue.environment)
    if may_trade(stage, environment):
        return
    if settings.MOONDEV_GATES_MAY_BE_SKIPPED and environment is not Environment.LIVE:
        code_hash = load(row.kind, row.parameters).code_hash
        take(row, Step(Stage.PAPER, actor, "enabled where gates may be skipped", code_hash), now)
        return
    needed = "limited_live or live" if environment is Environment.LIVE else "paper or later"
    raise InvalidValue("stage", stage.value, f"{needed}, to trade on {row.account.code} ({environment.value})")


def _stand_in_fits(row: StrategyRow, stand_in: StandIn, home: Mapping[int, InstrumentRow]) -> None:
    original, other, account = stand_in.stands_in_for, stand_in.instrument, stand_in.account
    if original.pk not in home:
        raise InvalidValue("stands_in_for", original.key, "an instrument of the strategy on its own account")
    if (other.asset, other.quote) != (original.asset, original.quote):
        raise InvalidValue("instrument", other.key, f"{original.asset} quoted in {original.quote}, as {original.key}")
    if other.venue_id == original.venue_id:
        raise InvalidValue("instrument", other.key, f"one of another venue than {original.venue_id}")
    if account.portfolio_id != row.account.portfolio_id or not account.enabled:
        raise InvalidValue("account", account.code, f"an enabled account of portfolio {row.account.portfolio_id}")
    instruments_fit(account, [other])


def tick_now(strategy_id: int, *, actor: str, clock: Clock | None = None) -> Tick:
    """Make one strategy due at once and return its tick.

    Raises InvalidValue when it does not run or has a tick outstanding already.
    """
    clock = clock or process_clock()
    row = StrategyRow.objects.get(pk=strategy_id)
    if not row.enabled or row.paused_reason:
        raise InvalidValue("strategy", row.slug, "an enabled strategy that is not paused")
    now = clock.now()
    strategy = Enabled(
        row.pk, row.trigger, row.cadence_seconds, row.book_move_bps, row.priority, row.deadline_ms, row.overruns
    )
    occasion = Due(strategy, MANUAL, f"{actor[:60]} at {now.isoformat()}", now)
    if dispatch([occasion], clock):
        raise InvalidValue("strategy", row.slug, "a strategy without an outstanding tick; it is deciding right now")
    return Tick.objects.get(strategy=row, trigger=MANUAL, event=occasion.event)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the gates have judged of a strategy besides its code."""

    parameters: Mapping[str, JSONValue]
    instruments: frozenset[int]
    capital: Decimal
    leverage: Decimal


def _judged(row: StrategyRow) -> _Judged:
    return _Judged(row.parameters, frozenset(one.pk for one in _instruments_of(row)), row.capital, row.leverage)


def _vouched_for(row: StrategyRow) -> bool:
    """Return whether somebody has let the present version at real money, or into the next stage."""
    approvals = row.approvals.filter(parameters_version=row.parameters_version)
    return Stage(row.stage) in REAL_MONEY or approvals.exists()


def _is_another(now: _Judged, before: _Judged, *, vouched_for: bool) -> bool:
    more = now.capital > before.capital or now.leverage > before.leverage
    return (now.parameters, now.instruments) != (before.parameters, before.instruments) or (vouched_for and more)


def _checked(kind: str, parameters: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    checked = parameters_for(kind, parameters)
    strategy_class(kind)().ready(checked)
    return checked.model_dump(mode="json")


def _save(row: StrategyRow, instruments: Sequence[InstrumentRow]) -> None:
    """Save a checked row; a bar strategy is due when the shortest bar it looks at closes."""
    if row.trigger == Trigger.BAR:
        needs = _needs(row, instruments)
        if not needs.bars:
            raise InvalidValue("trigger", row.trigger, f"interval or book: {row.kind} looks at no bars")
        row.cadence_seconds = _shortest(needs)
    try:
        row.full_clean()
        row.save()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidValue(field, getattr(row, field, None), " ".join(messages)) from error


def _needs(row: StrategyRow, instruments: Sequence[InstrumentRow]) -> Needs:
    loaded = load(row.kind, row.parameters)
    return loaded.strategy.needs(loaded.parameters, tuple(i.to_domain() for i in instruments))


def _shortest(needs: Needs) -> int:
    return round(min(needs.bars).total_seconds())


def _may_change_instruments(row: StrategyRow) -> None:
    if row.enabled:
        raise InvalidValue("instruments", row.slug, "a change while the strategy is disabled")
    held = [key for key, holding in selectors.holdings([row.slug])[row.slug].items() if holding.quantity]
    if held or selectors.working_orders([row.slug])[row.slug]:
        raise InvalidValue(
            "instruments", ", ".join(held) or "working orders", "a change while it is flat, without orders"
        )


def _link(row: StrategyRow, placed: Sequence[tuple[InstrumentRow, Account]]) -> None:
    StrategyInstrument.objects.filter(strategy=row).delete()
    StrategyInstrument.objects.bulk_create(
        [StrategyInstrument(strategy=row, instrument=instrument, account=account) for instrument, account in placed]
    )


def _instruments_of(row: StrategyRow) -> list[InstrumentRow]:
    """Return the instruments at home, which the strategy sees and names."""
    links = StrategyInstrument.objects.filter(strategy=row, stands_in_for=None)
    return list(InstrumentRow.objects.filter(pk__in=links.values("instrument")).order_by("pk"))


def _own(row: StrategyRow) -> None:
    """Claim the strategy's instruments on its account; the database lets no second owner in."""
    links = StrategyInstrument.objects.filter(strategy=row)
    links.filter(stands_in_for=None, instrument__venue=row.account.venue_id).update(account=row.account)
    try:
        with transaction.atomic():
            links.filter(account__shared=False).update(exclusive=True)
    except IntegrityError:
        wanted = set(links.values_list("account_id", "instrument_id"))
        others = StrategyInstrument.objects.filter(exclusive=True).exclude(strategy=row)
        owner = next(
            (
                other
                for other in others.select_related("strategy", "instrument", "account")
                if (other.account_id, other.instrument_id) in wanted
            ),
            None,
        )
        name = "another strategy" if owner is None else owner.strategy.slug
        key = "instrument" if owner is None else owner.instrument.key
        account = row.account.code if owner is None else owner.account.code
        raise InvalidValue(
            "instrument", key, f"one that no other enabled strategy trades on {account}; {name} does"
        ) from None


def _wish(row: StrategyRow) -> None:
    """Have the market data streamed that the strategy looks at and trades."""
    _wish_for(row, _needs(row, _instruments_of(row)))


def _wish_for(row: StrategyRow, needs: Needs) -> None:
    own = _instruments_of(row)
    elsewhere = StrategyInstrument.objects.filter(strategy=row).exclude(stands_in_for=None).select_related("instrument")
    stand_ins = (link.instrument.key for link in elsewhere)
    keys = tuple(dict.fromkeys((*needs.instruments, *(instrument.key for instrument in own), *stand_ins)))
    moves = float(row.book_move_bps) if row.trigger == Trigger.BOOK else 0.0
    wishes_set(row.slug, Needs(keys, needs.bars, needs.book), book_move_bps=moves)
    wishes_extend(row.slug, read_sizing([row.slug]).rule(row.slug).needs)


def _locked(strategy_id: int) -> StrategyRow:
    return (
        StrategyRow.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account__venue")
        .get(pk=strategy_id)
    )


def _event(row: StrategyRow, now: datetime, kind: str, message: str) -> None:
    StrategyEvent.objects.create(strategy=row.slug, at=now, kind=kind, message=message)
