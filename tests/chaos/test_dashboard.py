"""The dashboard before the running platform: a fill at the venue shows by itself, the kill switch empties the venue."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from decimal import Decimal

import pytest
import requests
from django.contrib.auth import get_user_model
from django.test.utils import override_settings

from apps.exchanges.models import Fill, Position, TradingMode, TradingState, Veto
from apps.monitor.demo.ports import Ports
from apps.monitor.demo.processes import web_process
from moondev.domain.orders import OrderStatus
from moondev.servers.probes import free_port
from tests.browser.conftest import chromium, context, page  # noqa: F401  fixtures are found by their names
from tests.chaos.platform import PROJECT
from tests.chaos.waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.browser, pytest.mark.timeout(300)]
PASSWORD = "operate-carefully"


@contextmanager
def web(platform):
    """Run the platform's web process while the block runs; yield its address."""
    ports = Ports(mock=1, web=free_port())
    command = web_process(ports).command
    environment = {**os.environ, **platform.environment}
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True)
    home = f"http://127.0.0.1:{ports.web}"
    try:
        wait_until("the web process", lambda: answers(home), 60)
        yield home
    finally:
        process.terminate()
        process.wait(20)


def answers(home):
    try:
        return requests.get(f"{home}/admin/login/", timeout=5).ok
    except requests.ConnectionError:
        return False


def enter(page, home):  # noqa: F811  a fixture
    # Passwords of tests are hashed in a way that is quick and that the platform does not accept.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
        get_user_model().objects.create_superuser("operator", password=PASSWORD)
    page.set_default_timeout(60_000)
    page.goto(f"{home}/admin/login/?next=/dashboard/")
    page.fill("#id_username", "operator")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.locator(".line.live").wait_for()


def test_a_fill_at_the_venue_shows_by_itself_and_the_kill_switch_empties_the_venue(trader, page):  # noqa: F811  a fixture
    with web(trader.platform) as home:
        enter(page, home)
        page.locator(".panel-fills[aria-busy=false]").wait_for()
        before = page.locator("[data-fill]").count()
        (order,) = trader.record(trader.taker(quantity=Decimal("0.003")))
        trader.wait_status(order, OrderStatus.FILLED)
        began = time.monotonic()
        page.locator(f"[data-fill='{Fill.objects.get(order=order).pk}']").wait_for()
        print(f"\nfill booked -> on the page: within {time.monotonic() - began:.2f} s; {before} fills before")  # noqa: T201  asked for
        position = Position.objects.get(account=trader.account)
        cell = page.locator(f"[data-position^='{trader.account.code}/'] [data-cell=quantity]")
        cell.wait_for()
        assert Decimal(cell.inner_text()) == position.quantity == Decimal("0.003")

        resting = trader.record(*[trader.bid() for _ in range(3)])
        for bid in resting:
            trader.wait_status(bid, OrderStatus.OPEN)
        page.click(".top .kill")
        dialog = page.locator("dialog.dialog[open]")
        dialog.locator("select[name=scope]").select_option(f"account:{trader.account.code}")
        dialog.locator("input[value=flatten]").check()
        dialog.locator("input[name=reason]").fill("pressed in the page")
        dialog.locator("input[name=sure]").check()
        dialog.locator("button[type=submit]").click()
        trader.platform.wait("the venue to be empty", lambda: not trader.mock.open_orders(trader.address))
        trader.platform.wait("the position to be closed", lambda: not trader.mock.account(trader.address)["positions"])
        page.locator(".mode-pill", has_text="halted").wait_for()
        assert TradingState.objects.get(scope_kind="account", scope_key=trader.account.code).mode == TradingMode.HALTED
        wait_until("the halt to be done", lambda: not Veto.objects.filter(done_at=None).exists(), 60)
        page.locator(".panel-stops").get_by_role("button", name="Release").first.click()
        dialog.locator("input[name=reason]").fill("tried")
        dialog.locator("input[name=sure]").check()
        dialog.locator("button[type=submit]").click()
        page.locator(".mode-pill", has_text="trading").wait_for()
    trader.finish()
