"""Operators see which version of a strategy of theirs runs, and what is wrong with what they saved."""

import pytest

from apps.strategies.models import StrategySource
from moondev.domain.clock import LiveClock
from tests.support.own_strategies import Folder, fresh_catalogue, restarted
from tests.unit.apps.strategies.authoring.texts import idea

LIST = "/admin/strategies/strategysource/"


@pytest.fixture
def folder(db, tmp_path, monkeypatch, settings):
    class Ticking(LiveClock):
        def advance(self, by):
            pass

    fresh_catalogue(monkeypatch, settings, tmp_path)
    folder = Folder(tmp_path, Ticking())
    folder.save("holder", idea(field="mode: int = 3"))
    folder.looks()
    yield folder
    restarted()


def text(client, address):
    reply = client.get(address)
    assert reply.status_code == 200
    return reply.content.decode()


def test_a_strategy_of_the_folder_is_offered_and_its_parameters_are_fields(operator, account, folder):
    page = text(operator, "/admin/strategies/strategyrow/add/")
    assert 'value="holder/plain"' in page
    form = {
        "slug": "mine",
        "idea": "holder/plain",
        "account": account.pk,
        "instruments": [1],
        "trigger": "interval",
        "cadence_seconds": 60,
        "book_move_bps": 2,
        "deadline_ms": 5000,
        "priority": 5,
        "capital": 100,
        "leverage": 1,
        "reprice_bps": 1,
        "slippage_bps": 50,
    }
    from apps.exchanges.models import InstrumentRow
    from apps.strategies.models import StrategyRow

    form["instruments"] = [InstrumentRow.objects.get(venue="hyperliquid", symbol="BTC").pk]
    assert operator.post("/admin/strategies/strategyrow/add/", form).status_code == 302
    row = StrategyRow.objects.get()
    change = f"/admin/strategies/strategyrow/{row.pk}/change/"
    assert 'name="parameter_mode"' in text(operator, change)

    # The next version has another form, at once.
    folder.save("holder", idea(field="side: str = 'long'"))
    folder.looks()
    page = text(operator, change)
    assert 'name="parameter_side"' in page
    assert 'name="parameter_mode"' not in page

    # A broken one is told beside the strategy, with the reason; the form stays.
    folder.save("holder", "def broken(:")
    folder.looks()
    for address in (change, "/admin/strategies/strategyrow/"):
        page = text(operator, address)
        assert '<span class="word word-bad" title="broken: SyntaxError' in page
        assert "code broken</span>" in page
    assert 'name="parameter_side"' in text(operator, change)

    # One that has gone can still be looked at.
    (folder.path / "holder.py").unlink()
    folder.looks(6.0)
    page = text(operator, change)
    assert "code " in page
    assert 'name="parameter_side"' not in page


def test_every_version_can_be_read_and_none_can_be_written(operator, account, folder):
    folder.save("holder", idea(decide="evil = '<script>alert(1)</script>'"))
    folder.looks()
    folder.save("holder", "1 / 0")
    folder.looks()
    page = text(operator, LIST)
    assert [word in page for word in (">runs<", ">ran<", ">broken<")] == [True] * 3
    assert "division by zero (holder.py, line 1)" in page
    runs = StrategySource.objects.get(current=True)
    page = text(operator, f"{LIST}{runs.pk}/change/")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    before = list(StrategySource.objects.order_by("pk").values())
    for address in (f"{LIST}{runs.pk}/change/", f"{LIST}{runs.pk}/delete/", f"{LIST}add/"):
        assert operator.post(address, {"kind": "turtle_trend", "post": "yes"}).status_code == 403
    assert list(StrategySource.objects.order_by("pk").values()) == before
