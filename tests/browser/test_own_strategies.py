"""A strategy of one's own in the admin: its form comes from its file, and follows it while the page stands."""

import pytest

from apps.strategies.models import StrategyRow, Tick
from apps.strategies.orchestrator.tick import run_ticks
from apps.strategies.services import tick_now
from moondev.domain.clock import process_clock
from tests.browser.scenery import confirm, messages
from tests.support.own_strategies import Folder, fresh_catalogue, restarted
from tests.unit.apps.strategies.authoring.texts import idea

pytestmark = [pytest.mark.browser, pytest.mark.integration, pytest.mark.timeout(120)]
LIST = "/admin/strategies/strategyrow/"


class Standing:
    """The time, for who only tells it."""

    def now(self):
        return process_clock().now()

    def advance(self, by):
        """Leave time alone: it passes by itself."""


@pytest.fixture
def folder(world, tmp_path, monkeypatch, settings):
    fresh_catalogue(monkeypatch, settings, tmp_path)
    folder = Folder(tmp_path, Standing())
    folder.save("holder", idea(field="mode: int = 3"))
    folder.looks()
    yield folder
    restarted()


def ticked(row):
    tick = tick_now(row.pk, actor="test")
    run_ticks([tick.pk], "w")
    return Tick.objects.get(pk=tick.pk)


def test_from_the_file_to_the_tick_and_to_the_next_version(operator, live_server, folder):
    page = operator
    page.goto(f"{live_server.url}{LIST}add/")
    page.fill("#id_slug", "mine")
    page.select_option("#id_idea", "holder/plain")
    page.select_option("#id_account", label="paper-1")
    page.select_option("#id_instruments", label="hyperliquid:ETH")
    page.fill("#id_capital", "5000")
    page.click("input[name=_save]")
    row = StrategyRow.objects.get(slug="mine")
    change = f"{live_server.url}{LIST}{row.pk}/change/"
    assert page.get_attribute("#id_parameter_mode", "type") == "number"
    page.fill("#id_parameter_weight", "0.25")
    page.click("input[name=_save]")
    assert "changed successfully" in messages(page)
    page.goto(change)
    page.click("button.step-enable")
    confirm(page)
    first = ticked(row)
    assert (first.status, first.parameters_version) == ("done", 2)
    assert first.report["desired"][0]["weight"] == 0.25

    # The file loses a parameter and wins another: the version runs, and the form is its own.
    folder.save("holder", idea(field="side: str = 'long'", tag="second"))
    folder.looks()
    page.goto(change)
    assert page.locator(".field-show_state .word").inner_text() == "code held"
    assert "mode is 3; allowed: only weight, side" in page.locator(".field-show_state .word").get_attribute("title")
    assert ticked(row).code_hash == first.code_hash

    page.click("button.step-pause")
    confirm(page, "new parameters")
    folder.looks()
    page.goto(change)
    assert page.input_value("#id_parameter_side") == "long"
    assert page.locator("#id_parameter_mode").count() == 0
    page.click("input[name=_save]")
    page.goto(change)
    page.click("button.step-resume")
    confirm(page)
    second = ticked(row)
    assert (second.status, second.parameters_version) == ("done", 3)
    assert second.code_hash != first.code_hash
    assert second.report["desired"][0]["reason"] == "second"

    # Every version can be read.
    page.goto(f"{live_server.url}/admin/strategies/strategysource/")
    assert page.locator("#result_list .word-good").inner_text() == "runs"
    page.locator("#result_list tbody th a").first.click()
    assert "class Holder(Strategy[HolderParameters])" in page.locator("#content pre").inner_text()
