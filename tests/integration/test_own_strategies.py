"""Strategies of the user's own, from the file that is saved to the tick that runs it, and all that may go wrong."""

import os
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.exchanges.models import DataWish, Order, Venue
from apps.strategies.authoring.catalogue import catalogue
from apps.strategies.authoring.publishing import unload
from apps.strategies.authoring.source import source_of
from apps.strategies.models import Stage, StrategyEvent, StrategyRow, StrategySource, Tick, Trigger
from apps.strategies.orchestrator.dispatch import dispatch
from apps.strategies.orchestrator.due import due_by_cadence
from apps.strategies.orchestrator.loader import load
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.registry import preset, preset_names, strategy_class, strategy_names
from apps.strategies.services import strategy_create, strategy_enable, strategy_pause, strategy_resume, strategy_update
from moondev.domain.errors import Configuration, InvalidValue
from tests.integration.tick_world import NOW, World, own_redis
from tests.support.own_strategies import Folder, fresh_catalogue, restarted
from tests.unit.apps.strategies.authoring.texts import idea

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
D = Decimal


@pytest.fixture
def world(db):
    client = own_redis()
    yield World(client)
    client.close()


@pytest.fixture
def folder(world, tmp_path, monkeypatch, settings):
    """Return a watched folder with one strategy that has been loaded."""
    fresh_catalogue(monkeypatch, settings, tmp_path)
    folder = Folder(tmp_path, world.clock)
    folder.save("holder", idea())
    folder.looks()
    yield folder
    restarted()


def row(world, kind="holder", *, symbol="BTC", slug="mine", **more):
    made = strategy_create(
        slug=slug,
        kind=kind,
        parameters={},
        account=world.account,
        instruments=[world.instruments[symbol]],
        actor="test",
        now=NOW,
        **{"capital": D(10_000), "trigger": Trigger.INTERVAL, "cadence_seconds": 60, **more},
    )
    return strategy_enable(made.pk, actor="test", now=NOW)


def ticked(world):
    world.clock.advance(timedelta(seconds=60))
    world.mark_equity()
    for symbol in world.instruments:
        world.book(symbol, 50_000.0)
    dispatch(due_by_cadence(60, world.clock.now()), world.clock)
    run_ticks(
        list(Tick.objects.filter(status="due").values_list("pk", flat=True)), "w", clock=world.clock, cache=world.cache
    )
    return Tick.objects.latest("pk")


def hash_of(text, name="holder", **others):
    return source_of(f"{name}.py", {f"{name}.py": text, **others}).code_hash


def events(*kinds):
    return list(StrategyEvent.objects.filter(kind__in=kinds).order_by("pk").values_list("strategy", "message"))


def test_a_saved_file_is_a_strategy_and_its_next_version_runs_at_the_next_tick(world, folder):
    assert strategy_names()[-1] == "holder"
    assert preset_names("holder") == ("plain",)
    mine = row(world)
    first = ticked(world)
    assert (first.status, first.code_hash, first.parameters_version) == ("done", hash_of(idea()), 1)
    assert first.report["desired"][0]["reason"] == "first"

    strategy_update(mine.pk, actor="test", now=NOW, parameters={"weight": 0.2})
    folder.save("rules", "tag = 'second'")
    text = idea(imports="import rules", tag="{rules.tag}").replace('"{rules.tag}"', "rules.tag")
    folder.save("holder", text)
    folder.looks()
    second = ticked(world)
    version = hash_of(text, **{"rules.py": "tag = 'second'"})
    assert (second.status, second.code_hash, second.parameters_version) == ("done", version, 2)
    assert (second.report["desired"][0]["reason"], second.report["desired"][0]["weight"]) == ("second", 0.2)

    # A module of it is part of it.
    folder.save("rules", "tag = 'third'")
    folder.looks()
    third = ticked(world)
    assert third.report["desired"][0]["reason"] == "third"
    assert third.code_hash not in {first.code_hash, second.code_hash}
    assert [strategy for strategy, _ in events("code_loaded")] == ["holder", "mine", "mine"]


def test_a_broken_file_is_reported_once_and_the_last_good_version_goes_on_after_a_restart_too(world, folder):
    row(world)
    for broken, told in (
        ("def oops(:", "SyntaxError"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (holder.py, line 1)"),
        ("x = 1", "one class derived from Strategy"),
        ("import sys; sys.exit(1)", "SystemExit: 1"),
    ):
        folder.save("holder", broken)
        folder.looks(4.0)
        said = events("code_broken")[-1]
        assert said[0] == "mine"
        assert told in said[1]
        assert f"version {hash_of(idea())[:12]} goes on" in said[1]
    assert len(events("code_broken")) == 4
    restarted()
    assert ticked(world).code_hash == hash_of(idea())
    # Nor does a dispatcher that is started again forget what ran, or tell it all again.
    again = Folder(folder.path, world.clock)
    again.looks()
    assert len(events("code_broken")) == 4
    assert ticked(world).code_hash == hash_of(idea())
    folder.save("holder", idea())
    folder.looks()
    assert "again, which runs" in events("code_loaded")[-1][1]


def test_a_version_that_a_running_row_does_not_fit_waits_for_it(world, folder):
    mine, old = row(world), hash_of(idea())
    strategy_update(mine.pk, actor="test", now=NOW, parameters={"weight": 0.4})
    renamed = idea().replace("weight: float", "share: float").replace("params.weight", "params.share")
    folder.save("holder", renamed)
    folder.looks()
    held = StrategySource.objects.get(status="held")
    assert held.error == "mine: weight is 0.4; allowed: only share"
    assert events("code_held")[-1][0] == "mine"
    assert ticked(world).code_hash == old
    # An operator stops the row: then nothing holds the version back, and the row waits for parameters that fit.
    strategy_pause(mine.pk, reason="new parameters", actor="test", now=NOW, clock=world.clock)
    folder.looks()
    assert strategy_class("holder").parameters.model_fields.keys() == {"share"}
    with pytest.raises(InvalidValue, match=r"weight is 0\.4"):
        strategy_resume(mine.pk, actor="test", now=NOW)
    strategy_update(mine.pk, actor="test", now=NOW, parameters={"share": 0.3})
    strategy_resume(mine.pk, actor="test", now=NOW)
    assert ticked(world).code_hash == hash_of(renamed)


def test_new_needs_are_streamed_and_set_the_bar_it_is_due_by(world, folder):
    bars = idea(imports="from datetime import timedelta", needs="{timedelta(minutes=5): 20}")
    folder.save("holder", bars)
    folder.looks()
    mine = row(world, trigger=Trigger.BAR)
    assert StrategyRow.objects.get().cadence_seconds == 300
    folder.save("holder", bars.replace("minutes=5): 20", "minutes=1): 7"))
    folder.looks()
    assert StrategyRow.objects.get().cadence_seconds == 60
    wished = DataWish.objects.filter(owner=mine.slug).order_by("interval_seconds")
    assert list(wished.values_list("interval_seconds", "bars")) == [(0, 0), (60, 7)]
    folder.save("holder", idea())
    folder.looks()
    assert "looks at no bars" in StrategySource.objects.get(status="held").error


def test_a_file_that_has_gone_pauses_its_rows_and_a_tick_that_runs_it_ends(world, folder):
    mine, other = row(world), row(world, symbol="ETH", slug="theirs")
    running = load("holder", {})
    (folder.path / "holder.py").unlink()
    folder.looks(2.0)
    assert StrategyRow.objects.get(pk=mine.pk).paused_reason == ""  # an editor may be at work
    folder.looks(4.0)
    reasons = set(StrategyRow.objects.values_list("paused_reason", flat=True))
    assert reasons == {"its file holder.py has gone from the folder of strategies"}
    assert "holder" not in strategy_names()
    with pytest.raises(Configuration, match="strategy is 'holder'; allowed: market_maker"):
        strategy_resume(other.pk, actor="test", now=NOW)
    with pytest.raises(Configuration):
        load("holder", {})
    assert running.strategy.decide(None, None, running.parameters, {}, {}).desired == ()
    folder.save("holder", idea())
    folder.looks()
    strategy_resume(mine.pk, actor="test", now=NOW)
    assert ticked(world).status == "done"


def test_two_files_of_one_name_are_both_refused_and_what_ran_goes_on(world, folder):
    row(world)
    folder.save("again", idea(tag="second"))
    folder.looks()
    told = "again.py and holder.py all call themselves holder: none of them is taken"
    assert sum(told in message for _, message in events("code_broken")) == 2
    assert ticked(world).code_hash == hash_of(idea())
    (folder.path / "holder.py").unlink()
    folder.looks(5.0)
    assert ticked(world).code_hash == hash_of(idea(tag="second"), "again")


def test_a_library_strategy_cannot_be_replaced(world, folder):
    before = strategy_class("turtle_trend")
    folder.save("evil", idea("turtle_trend"))
    folder.looks()
    assert "a name that no strategy of the library has" in events("code_broken")[-1][1]
    assert strategy_class("turtle_trend") is before
    assert not StrategySource.objects.filter(kind="turtle_trend").exists()


def test_a_renamed_strategy_is_another_one(world, folder):
    mine = row(world)
    folder.save("holder", idea("keeper"))
    folder.looks(6.0)
    assert StrategyRow.objects.get(pk=mine.pk).paused_reason == "its file holder.py is now strategy keeper"
    assert strategy_names()[-1] == "keeper"


def test_a_folder_that_vanishes_or_is_unmounted_changes_nothing(world, folder):
    row(world)
    away = folder.path.with_name("away")
    folder.path.rename(away)
    folder.looks(6.0)
    folder.path.mkdir()  # what is left in the place of an unmounted folder
    folder.looks(6.0)
    assert [message.rpartition("; ")[2] for _, message in events("code_folder")] == ["what is loaded goes on"] * 2
    assert ticked(world).status == "done"
    folder.path.rmdir()
    away.rename(folder.path)
    folder.looks()
    # Emptied by its owner it is the same folder.
    (folder.path / "holder.py").unlink()
    folder.looks(6.0)
    assert StrategyRow.objects.get().paused_reason
    # A dispatcher that starts beside an empty folder knows nothing of it.
    assert len(events("code_folder")) == 2


def test_a_dispatcher_that_starts_beside_an_empty_folder_unloads_nothing(world, folder):
    row(world)
    (folder.path / "holder.py").unlink()
    Folder(folder.path, world.clock).looks(8.0)
    assert ticked(world).status == "done"
    unload("holder", "it was unloaded by hand", world.clock)
    assert StrategyRow.objects.get().paused_reason == "it was unloaded by hand"
    with pytest.raises(Configuration, match="not loaded"):
        unload("holder", "again", world.clock)


def test_fifty_saves_in_a_second_are_one_version(world, folder):
    row(world)
    before = folder.trials
    for number in range(50):
        folder.save("holder", idea(tag=f"save {number}"))
        folder.looks(0.02, every=0.02)
    assert folder.trials == before
    folder.looks()
    assert folder.trials <= before + 1
    assert ticked(world).report["desired"][0]["reason"] == "save 49"


def test_a_folder_that_is_never_quiet_is_looked_at_all_the_same(world, folder):
    row(world)
    for number in range(40):
        (folder.path / "noise.py").write_text(f"n = {number}")
        if number == 5:
            folder.save("holder", idea(tag="amid noise"))
        folder.looks(0.1, every=0.1)
    assert ticked(world).report["desired"][0]["reason"] == "amid noise"


def test_half_a_file_never_takes_the_place_of_a_good_one(world, folder):
    row(world)
    text = idea(tag="whole")
    with (folder.path / "holder.py").open("w") as file:
        for part in (text[:200], text[200:600]):
            file.write(part)
            file.flush()
            folder.looks(3.0)
            assert ticked(world).code_hash == hash_of(idea())
        file.write(text[600:])
    folder.looks()
    assert ticked(world).report["desired"][0]["reason"] == "whole"


def test_odd_files_disturb_nobody(world, folder):
    row(world)
    (folder.path / "latin.py").write_bytes(b"# \xff")
    (folder.path / "huge.py").write_bytes(b"#" * 300_000)
    (folder.path / "loop.py").symlink_to(folder.path / "loop.py")
    (folder.path / "self").symlink_to(folder.path)
    os.mkfifo(folder.path / "pipe.py")
    folder.save("nul", "x = '\0'")
    folder.looks()
    told = dict(events("code_broken"))
    assert set(told) == {"latin", "huge", "loop", "pipe", "nul"}
    assert "latin.py is not UTF-8: byte 2 is 0xff" in told["latin"]
    folder.save("holder", idea(tag="second"))
    folder.looks()
    assert ticked(world).report["desired"][0]["reason"] == "second"


def test_text_that_no_dispatcher_wrote_is_not_run(world, folder):
    row(world)
    evil = idea(tag="evil")
    StrategySource.objects.update(files={"holder.py": evil}, code_hash=hash_of(evil))
    restarted()
    tick = ticked(world)
    assert tick.status == "failed"
    assert "was not written by a dispatcher with this SECRET_KEY" in tick.error
    # The dispatcher writes what the folder says, and all is well.
    Folder(folder.path, world.clock).looks()
    assert ticked(world).report["desired"][0]["reason"] == "first"


def test_another_secret_key_is_another_seal(world, folder, settings):
    row(world)
    settings.SECRET_KEY = "another"
    restarted()
    assert ticked(world).status == "failed"
    Folder(folder.path, world.clock).looks()
    restarted()
    assert ticked(world).status == "done"


def test_a_machine_that_is_not_told_of_a_folder_runs_none_of_it_and_asks_nothing(world, folder, settings):
    settings.MOONDEV_STRATEGIES_DIR = None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert "holder" not in strategy_names()
        load("turtle_trend", {})
    assert not len(queries)
    with pytest.raises(Configuration, match="allowed: market_maker"):
        load("holder", {})


def test_a_process_looks_once_a_second_however_many_strategies_it_runs(world, folder, monkeypatch):
    from apps.strategies.authoring import catalogue as module

    load("holder", {})
    monkeypatch.setattr(module, "LOOK_SECONDS", 1.0)
    load("holder", {})
    with CaptureQueriesContext(connection) as queries:
        for number in range(200):
            load("holder", {"weight": number / 1_000})
        load("turtle_trend", {})
    assert len(queries) <= 1


def test_a_worker_that_cannot_load_a_version_keeps_the_one_it_has(world, folder, monkeypatch):
    from apps.strategies.authoring import catalogue as module
    from apps.strategies.authoring.version import BrokenStrategy

    row(world)
    ticked(world)

    def lacks_a_library(source):
        raise BrokenStrategy("ModuleNotFoundError: No module named 'torch'")

    monkeypatch.setattr(module, "load_version", lacks_a_library)
    folder.save("holder", idea(tag="second"))
    folder.looks()
    assert ticked(world).code_hash == hash_of(idea())
    ticked(world)
    assert [message.partition(": ")[2] for _, message in events("code_failed")] == [
        "ModuleNotFoundError: No module named 'torch'"
    ]
    restarted()
    tick = ticked(world)
    assert (tick.status, "cannot be loaded here" in tick.error) == ("failed", True)
    monkeypatch.undo()
    restarted()


def test_a_decision_that_raises_is_told_with_the_version_that_raised(world, folder):
    row(world)
    text = idea(decide="1 / 0")
    folder.save("holder", text)
    folder.looks()
    tick = ticked(world)
    assert (tick.status, tick.error) == ("failed", "ZeroDivisionError: division by zero")
    assert (tick.code_hash, tick.parameters_version) == (hash_of(text), 1)


def test_at_real_money_a_new_version_opens_nothing_before_it_has_passed_the_gates(world, folder):
    row(world, slug="passed")
    row(world, symbol="ETH", slug="unexamined")
    text = idea(tag="second")
    Venue.objects.update(environment="live")
    StrategyRow.objects.update(stage=Stage.LIVE, certified_version=1, certified_hash=hash_of(idea()))
    StrategyRow.objects.filter(slug="passed").update(certified_hash=hash_of(text))
    folder.save("holder", text)
    folder.looks()
    ticked(world)
    ticks = {tick.strategy.slug: tick for tick in Tick.objects.select_related("strategy")}
    assert {tick.code_hash for tick in ticks.values()} == {hash_of(text)}
    assert (ticks["passed"].placed, ticks["passed"].refused) == (1, 0)
    assert (ticks["unexamined"].placed, ticks["unexamined"].refused) == (0, 1)
    assert Order.objects.get(strategy="unexamined").refusal_code == "STAGE_FORBIDS"


def test_a_preset_of_an_own_strategy_is_a_set_of_its_parameters(world, folder):
    assert preset("holder", "plain").weight == 0.1
    assert catalogue().names() == ("holder",)
