"""From research to real money: nothing is skipped, nobody lets his own idea pass, and the way down is always open."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from apps.exchanges.models import (
    Account,
    InstrumentRow,
    Order,
    OrderCommand,
    Portfolio,
    Position,
    ScopeKind,
    TradingMode,
    TradingState,
    Venue,
)
from apps.exchanges.ports import BookUpdate
from apps.risk.models import Allocation, HighWaterMark
from apps.risk.services import seed_limits
from apps.strategies.models import (
    Gate,
    Stage,
    StageApproval,
    StageChange,
    StrategyDay,
    StrategyInstrument,
    StrategyRow,
    Tick,
    TickStatus,
)
from apps.strategies.orchestrator import withdraw
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.promotion import services
from apps.strategies.promotion.evidence import evidence_of, version_of
from apps.strategies.promotion.seeds import seed
from apps.strategies.promotion.services import stage_approve, stage_demote, stage_promote, stage_skip
from apps.strategies.promotion.watch import watch
from apps.strategies.services import strategy_disable, strategy_enable, strategy_update
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book, BookLevel
from tests.integration.tick_world import NOW, World, own_redis, register

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


@pytest.fixture
def world(monkeypatch, transactional_db):
    register(monkeypatch)
    seed()
    client = own_redis()
    yield World(client)
    client.close()


@pytest.fixture
def strict(settings):
    """Ask every gate, as everywhere but in development."""
    settings.MOONDEV_GATES_MAY_BE_SKIPPED = False


def person(name, *, may_approve=True):
    user = get_user_model().objects.create_user(name)
    if may_approve:
        user.user_permissions.add(Permission.objects.get(codename="approve_stage"))
    return get_user_model().objects.get(pk=user.pk)


def only(**thresholds):
    """Leave these gates to every stage and no other."""
    Gate.objects.update(enabled=False)
    for requirement, threshold in thresholds.items():
        Gate.objects.filter(requirement=requirement).update(enabled=True, threshold=threshold)


def live_account(world, equity=100_000):
    venue = Venue.objects.create(
        code="real", protocol="hyperliquid", environment="live", rest_url="http://localhost:1", websocket_url="ws://x"
    )
    portfolio = Portfolio.objects.create(code="real", currency="USDC", environment="live")
    account = Account.objects.create(code="real-1", venue=venue, portfolio=portfolio, address="0x2", currency="USDC")
    for kind, key in ((ScopeKind.PORTFOLIO, "real"), (ScopeKind.ACCOUNT, "real-1")):
        TradingState.objects.create(scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, changed_at=NOW)
    for symbol in ("BTC", "ETH"):
        InstrumentRow.objects.create(
            venue=venue, symbol=symbol, asset=symbol, quote="USDC", tick=D("0.1"), lot=D("0.001"), min_notional=D(10)
        )
    seed_limits("real", actor="test", now=NOW)
    account.equity_marks.create(taken_at=NOW, venue_equity=equity, unrealised=0, margin_used=0)
    return account


def on_paper(world, slug="idea", **script):
    row = world.strategy(slug, "BTC", enable=False, **script)
    stage_skip(row.pk, to=Stage.PAPER, actor="test", reason="to begin with", now=NOW)
    return StrategyRow.objects.get(pk=row.pk)


def decided_on(row, days):
    """Leave a decided tick of the row's version on each of so many days."""
    version = version_of(row)
    for n in range(days):
        at = NOW + timedelta(days=n)
        Tick.objects.create(
            strategy=row, trigger="interval", event=f"day {n}", status=TickStatus.DONE, due_at=at, deadline=at,
            code_hash=version.code_hash, parameters_version=version.parameters_version,
        )  # fmt: skip


def mark(row, equity, at, funded=10_000):
    HighWaterMark.objects.update_or_create(
        scope_kind=ScopeKind.STRATEGY, scope_key=row.slug,
        defaults={"peak": 10_000, "peak_at": NOW, "equity": equity, "funded": funded, "marked_at": at},
    )  # fmt: skip


def to_live(world, account, row=None):
    """Return a strategy that came to limited live by the book, approved by bea."""
    only(approvals=1)
    row = row or on_paper(world, weight=0.5)
    stage_approve(row.pk, to=Stage.LIMITED_LIVE, user=person("bea"), reason="fine", now=NOW)
    return stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="go", now=NOW, account=account)


def tick(world):
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    ids = list(Tick.objects.filter(status="due").values_list("pk", flat=True))
    run_ticks(ids, "worker-1", clock=world.clock, cache=world.cache)
    return Tick.objects.latest("pk")


def test_an_idea_in_research_is_not_enabled_on_paper_before_it_was_promoted(world, strict):
    row = world.strategy("idea", "BTC", enable=False)
    with pytest.raises(InvalidValue, match="stage is 'research'; allowed: paper or later"):
        strategy_enable(row.pk, actor="ann", now=NOW)
    assert not StrategyRow.objects.get().enabled
    assert StrategyRow.objects.get().stage == Stage.RESEARCH


def test_where_gates_may_be_skipped_enabling_puts_an_idea_on_paper_and_says_so(world):
    row = world.strategy("idea", "BTC")
    assert (row.stage, StageChange.objects.get().reason) == (Stage.PAPER, "enabled where gates may be skipped")


def test_gates_are_skipped_nowhere_but_in_development(world, strict):
    row = world.strategy("idea", "BTC", enable=False)
    with pytest.raises(InvalidValue, match="nowhere but in development"):
        stage_skip(row.pk, to=Stage.LIVE, actor="ann", reason="in a hurry", now=NOW)
    with pytest.raises(CommandError, match="nowhere but in development"):
        call_command("promotion", "promote", "idea", "--skip-gates", "--reason", "in a hurry")
    assert StrategyRow.objects.get().stage == Stage.RESEARCH


def test_promotion_names_every_gate_that_did_not_pass_and_changes_nothing(world, strict):
    row = world.strategy("idea", "BTC", enable=False)
    with pytest.raises(InvalidValue, match="checks: no honesty check has been run"):
        stage_promote(row.pk, to=Stage.PAPER, actor="ann", reason="go", now=NOW)
    assert not StageChange.objects.exists()


def test_no_stage_is_jumped_over_and_none_is_entered_twice(world, strict):
    row = world.strategy("idea", "BTC", enable=False)
    only(days=0)
    with pytest.raises(InvalidValue, match="stage is 'live'; allowed: paper"):
        stage_promote(row.pk, to=Stage.LIVE, actor="ann", reason="go", now=NOW)
    stage_promote(row.pk, to=Stage.PAPER, actor="ann", reason="go", now=NOW)
    with pytest.raises(InvalidValue, match="stage is 'paper'; allowed: limited_live"):
        stage_promote(row.pk, to=Stage.PAPER, actor="ann", reason="again", now=NOW)
    assert StageChange.objects.count() == 1


def test_an_author_cannot_approve_nor_can_somebody_without_the_permission(world, strict):
    author, stranger = person("ann"), person("zed", may_approve=False)
    row = on_paper_strictly(world, edited_by="ann")
    for user, why in ((author, "somebody other than its authors"), (stranger, "permission strategies.approve_stage")):
        with pytest.raises(InvalidValue, match=why):
            stage_approve(row.pk, to=Stage.LIMITED_LIVE, user=user, reason="mine", now=NOW)
    assert not StageApproval.objects.exists()


def on_paper_strictly(world, **columns):
    row = world.strategy("idea", "BTC", enable=False)
    StrategyRow.objects.filter(pk=row.pk).update(stage=Stage.PAPER, stage_since=NOW, **columns)
    return StrategyRow.objects.get(pk=row.pk)


def test_an_approval_lapses_with_the_version_and_with_the_person(world):
    row, bea = on_paper(world), person("bea")
    stage_approve(row.pk, to=Stage.LIMITED_LIVE, user=bea, reason="fine", now=NOW)
    assert evidence_of(row, Stage.LIMITED_LIVE, NOW).approvers == ("bea",)
    get_user_model().objects.update(is_active=False)
    assert evidence_of(row, Stage.LIMITED_LIVE, NOW).approvers == ()
    get_user_model().objects.update(is_active=True)
    row = strategy_update(row.pk, actor="ann", now=NOW, parameters={"behaviour": "target", "weight": 0.3})
    assert evidence_of(row, Stage.LIMITED_LIVE, NOW).approvers == ()


def test_real_money_needs_somebody_elses_approval_whatever_the_table_says(world):
    Gate.objects.update(enabled=False)
    account = live_account(world)
    row = on_paper(world)
    with pytest.raises(InvalidValue, match="nobody but its authors has approved it"):
        stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="go", now=NOW, account=account)
    assert StrategyRow.objects.get().account == world.account


def test_only_days_and_trades_of_the_present_version_count(world):
    row = on_paper(world)
    decided_on(row, 3)
    assert evidence_of(row, Stage.LIMITED_LIVE, NOW).days == 3
    row = strategy_update(row.pk, actor="ann", now=NOW, parameters={"behaviour": "target", "weight": 0.3})
    assert evidence_of(row, Stage.LIMITED_LIVE, NOW).days == 0


def test_the_step_to_real_money_moves_the_strategy_and_takes_a_part_of_its_capital(world):
    account = live_account(world)
    row = to_live(world, account)
    assert (row.stage, row.account, row.capital_share) == (Stage.LIMITED_LIVE, account, D("0.1"))
    assert [link.instrument.key for link in row.strategyinstrument_set.all()] == ["real:BTC"]
    change = StageChange.objects.first()
    assert (change.actor, change.evidence["approvals"]) == ("ann", "approved by bea; 1 needed")


def test_a_paper_account_is_no_place_for_real_money_nor_a_strategy_that_holds_something(world):
    only(approvals=1)
    row = on_paper(world)
    stage_approve(row.pk, to=Stage.LIMITED_LIVE, user=person("bea"), reason="fine", now=NOW)
    with pytest.raises(InvalidValue, match="one at a live venue"):
        stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="go", now=NOW)
    account = live_account(world)
    strategy_enable(row.pk, actor="test", now=NOW)
    with pytest.raises(InvalidValue, match="a change while the strategy is disabled"):
        stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="go", now=NOW, account=account)
    assert StrategyRow.objects.get().stage == Stage.PAPER


def test_limited_live_trades_its_share_and_an_edited_version_opens_nothing(world, strict, settings):
    settings.MOONDEV_VENUES = (*settings.MOONDEV_VENUES, "real")
    account = live_account_with_book(world)
    row = to_live_strictly(world, account)
    strategy_enable(row.pk, actor="ann", now=NOW)
    done = tick(world)
    order = Order.objects.get()
    assert (done.status, order.status, order.quantity) == ("done", "approved", D("0.010")), "half of a tenth of 10,000"
    strategy_update(row.pk, actor="ann", now=NOW, parameters={"behaviour": "target", "weight": 0.9})
    world.clock.advance(timedelta(seconds=60))
    Order.objects.update(status="expired", closed_at=world.clock.now())
    account.equity_marks.create(taken_at=world.clock.now(), venue_equity=100_000, unrealised=0, margin_used=0)
    book(world)
    done = tick(world)
    refused = Order.objects.latest("pk")
    assert (done.refused, refused.status, refused.refusal_code) == (1, "refused", "STAGE_FORBIDS")
    assert "version 2 has not passed the gates" in refused.refusal_value


def test_what_rests_to_open_is_taken_back_when_the_strategy_may_only_reduce(world, strict, settings, monkeypatch):
    settings.MOONDEV_VENUES = (*settings.MOONDEV_VENUES, "real")
    # The queues were made before this venue was.
    monkeypatch.setattr(withdraw, "wake_accounts", lambda _ids: None)
    row = to_live_strictly(world, live_account_with_book(world))
    strategy_enable(row.pk, actor="ann", now=NOW)
    tick(world)
    Order.objects.update(status="open", venue_order_id="1")
    resting = Order.objects.get()
    stage_demote(row.pk, actor="ann", reason="enough", now=NOW)
    for _ in range(2):
        world.clock.advance(timedelta(seconds=60))
        book(world)
        tick(world)
        (cancel,) = OrderCommand.objects.all()
        assert (cancel.order, cancel.kind, cancel.reason) == (resting, "cancel", "its stage forbids to open")


def test_what_paper_has_made_adds_nothing_to_the_share_of_real_money(world, strict, settings):
    settings.MOONDEV_VENUES = (*settings.MOONDEV_VENUES, "real")
    account = live_account_with_book(world)
    row = world.strategy("idea", "BTC", enable=False, weight=0.5)
    btc = row.strategyinstrument_set.get().instrument
    Position.objects.create(
        account=row.account, strategy="idea", instrument=btc, realised=5_040, fees=40, updated_at=NOW
    )
    row = to_live_strictly(world, account, row)
    assert row.profit_elsewhere == 5_000
    strategy_enable(row.pk, actor="ann", now=NOW)
    tick(world)
    assert Order.objects.get().quantity == D("0.010"), "half of a tenth of 10,000"
    assert Allocation.objects.get().capital == 1_000 - 5_000, "what it is worth is its share and what it makes here"


def test_real_money_anywhere_among_its_accounts_asks_for_the_gates(world):
    account = live_account(world)
    row = world.strategy("idea", "BTC", weight=0.5)
    home = row.strategyinstrument_set.get()
    StrategyInstrument.objects.create(
        strategy=row, account=account, instrument=InstrumentRow.objects.get(venue="real", symbol="BTC"),
        stands_in_for=home.instrument, rank=1,
    )  # fmt: skip
    done = tick(world)
    refused = Order.objects.get()
    assert (done.refused, refused.refusal_code) == (1, "STAGE_FORBIDS")
    assert "stage paper does not trade on a live account" in refused.refusal_value


def test_being_taken_down_lets_no_edit_past_the_gates_and_forgets_no_expectation(world):
    row = to_live(world, live_account(world))
    StrategyRow.objects.update(stage=Stage.LIVE)
    StageChange.objects.filter(strategy=row).update(after=Stage.LIVE, expected_mean=0.001, expected_deviation=0.01)
    strategy_update(row.pk, actor="ann", now=NOW, parameters={"behaviour": "target", "weight": 0.9})
    row = stage_demote(row.pk, actor="ann", reason="to get it past them", now=NOW)
    assert (row.stage, row.parameters_version, row.certified_version) == (Stage.LIMITED_LIVE, 2, 1)
    assert services.next_step(row, version_of(row)) is Stage.LIMITED_LIVE
    change = StageChange.objects.first()
    assert (change.expected_mean, change.expected_deviation) == (0.001, 0.01), "it is watched in its new stage, too"


@pytest.mark.parametrize("more", [{"capital": D(100_000)}, {"leverage": D(3)}])
def test_more_real_money_and_other_instruments_are_a_new_version_and_less_is_none(world, more):
    row = on_paper(world)
    assert strategy_update(row.pk, actor="ann", now=NOW, **more).parameters_version == 1, "paper may have any"
    approved = on_paper(world, "approved")
    stage_approve(approved.pk, to=Stage.LIMITED_LIVE, user=person("eve"), reason="fine", now=NOW)
    assert strategy_update(approved.pk, actor="ann", now=NOW, **more).parameters_version == 2, "eve has not seen that"
    row = to_live(world, live_account(world), row)
    less = {name: value / 2 for name, value in more.items()}
    assert strategy_update(row.pk, actor="ann", now=NOW, **less).parameters_version == 1
    row = strategy_update(row.pk, actor="cay", now=NOW, **more)
    assert (row.parameters_version, row.certified_version, row.edited_by) == (2, 1, "cay")
    eth = InstrumentRow.objects.get(venue="real", symbol="ETH")
    assert strategy_update(row.pk, actor="ann", now=NOW, instruments=[eth]).parameters_version == 3


def live_account_with_book(world):
    account = live_account(world)
    book(world)
    return account


def book(world, mid=50_000.0):
    now = world.clock.now()
    state = world.writer.state("real:BTC")
    state.take_book(BookUpdate("BTC", Book((BookLevel(mid - 1, 5.0),), (BookLevel(mid + 1, 5.0),), now, now)))
    world.writer.flush()


def to_live_strictly(world, account, row=None):
    only(approvals=1)
    row = row or world.strategy("idea", "BTC", enable=False, weight=0.5)
    StrategyRow.objects.filter(pk=row.pk).update(stage=Stage.PAPER, stage_since=NOW)
    stage_approve(row.pk, to=Stage.LIMITED_LIVE, user=person("bea"), reason="fine", now=NOW)
    return stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="go", now=NOW, account=account)


def test_a_new_version_in_a_live_stage_passes_by_checks_and_approval_without_its_days(world):
    account = live_account(world)
    row = to_live(world, account)
    strategy_disable(row.pk, actor="ann", now=NOW, clock=world.clock)
    row = strategy_update(row.pk, actor="ann", now=NOW, parameters={"behaviour": "target", "weight": 0.2})
    assert services.next_step(row, version_of(row)) is Stage.LIMITED_LIVE
    Gate.objects.filter(stage=Stage.LIMITED_LIVE, requirement="days").update(enabled=True, threshold=99)
    with pytest.raises(InvalidValue, match="approvals: nobody but its authors"):
        stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="tuned", now=NOW)
    stage_approve(
        row.pk, to=Stage.LIMITED_LIVE, user=get_user_model().objects.get(username="bea"), reason="ok", now=NOW
    )
    row = stage_promote(row.pk, to=Stage.LIMITED_LIVE, actor="ann", reason="tuned", now=NOW)
    assert (row.certified_version, row.stage) == (2, Stage.LIMITED_LIVE)


def test_taking_down_cancels_what_rests_to_open_at_once(world, strict, settings):
    settings.MOONDEV_VENUES = (*settings.MOONDEV_VENUES, "real")
    row = to_live_strictly(world, live_account_with_book(world))
    strategy_enable(row.pk, actor="ann", now=NOW)
    tick(world)
    assert Order.objects.get().status == "approved"
    stage_demote(row.pk, actor="ann", reason="enough", now=NOW, clock=world.clock)
    assert Order.objects.get().status == "cancelled"


def test_taking_down_asks_nobody_and_goes_down_only(world):
    row = to_live(world, live_account(world))
    with pytest.raises(InvalidValue, match="one below limited_live"):
        stage_demote(row.pk, to=Stage.LIVE, actor="ann", reason="oops", now=NOW)
    row = stage_demote(row.pk, actor="ann", reason="enough", now=NOW)
    assert (row.stage, row.certified_hash, row.capital_share) == (Stage.PAPER, "", D(1))


def expecting(row, mean=0.001, deviation=0.01):
    StageChange.objects.filter(strategy=row, after=row.stage).update(expected_mean=mean, expected_deviation=deviation)


def test_profit_that_leaves_its_band_takes_a_strategy_down_at_the_second_look(world):
    row = to_live(world, live_account(world))
    expecting(row)
    later = NOW + timedelta(days=1)
    mark(row, 9_650, later)
    assert watch(later) == [], "one odd figure takes nobody down"
    assert watch(later) == ["idea"]
    row.refresh_from_db()
    assert row.stage == Stage.PAPER
    assert "lags 3.6 deviations" in StageChange.objects.first().reason
    assert watch(later) == []


def test_two_who_watch_at_once_take_it_down_one_stage(world, monkeypatch):
    row = to_live(world, live_account(world))
    StrategyRow.objects.update(stage=Stage.LIVE)
    StageChange.objects.filter(strategy=row).update(after=Stage.LIVE, expected_mean=0.001, expected_deviation=0.01)
    later = NOW + timedelta(days=1)
    mark(row, 9_650, later)
    watch(later)

    def after_the_other(pk, **asked):
        stage_demote(pk, **asked)
        return stage_demote(pk, **asked)

    monkeypatch.setattr("apps.strategies.promotion.watch.stage_demote", after_the_other)
    assert watch(later) == []
    assert StrategyRow.objects.get().stage == Stage.LIMITED_LIVE


def test_profit_within_its_band_above_it_or_unknown_takes_nobody_down(world):
    row = to_live(world, live_account(world))
    later = NOW + timedelta(days=1)
    mark(row, 5_000, later)
    assert [watch(later), watch(later)] == [[], []], "nothing tells what to expect"
    expecting(row)
    for worth in (9_750, 20_000):
        mark(row, worth, later)
        assert [watch(later), watch(later)] == [[], []]
    mark(row, 5_000, later - timedelta(hours=1))
    assert [watch(later), watch(later)] == [[], []], "an old figure is none"


def test_the_watch_keeps_one_figure_a_day(world):
    row = on_paper(world)
    for hours, worth in ((0, 10_000), (5, 10_100), (24, 10_200)):
        at = NOW + timedelta(hours=hours)
        mark(row, worth, at)
        watch(at)
    assert list(StrategyDay.objects.order_by("day").values_list("equity", flat=True)) == [D(10_100), D(10_200)]


def test_the_command_shows_gates_and_ends_with_an_error_while_one_is_closed(world, capsys):
    on_paper(world)
    with pytest.raises(CommandError, match="a gate has not passed"):
        call_command("promotion", "status", "idea")
    told = capsys.readouterr().out
    assert "NOT PASSED  days: 0 days on which it decided; at least 14 needed" in told
    assert "not known   drawdown" in told
    with pytest.raises(CommandError, match="strategy is 'no'; allowed: idea"):
        call_command("promotion", "status", "no")
