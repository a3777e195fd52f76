"""A real Chromium before a real web server on a real database, and a small world to operate."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from playwright.sync_api import Error, sync_playwright

from apps.exchanges.execution.nudges import HALTS_KEY, redis_nudges
from apps.exchanges.models import Account, InstrumentRow, Portfolio, ScopeKind, TradingMode, TradingState, Venue
from apps.risk.services import seed_limits
from apps.strategies.registry import preset
from apps.strategies.services import strategy_create
from tests.browser.scenery import NOW, PASSWORD

# Playwright's own event loop runs in the thread of the test; Django would refuse it the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

OPTIONS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Numbers of Redis databases are few; the last one is for those who test halts.
REDIS_DATABASE = 15


@pytest.fixture(scope="module")
def chromium():
    """Return a browser; Debian's, or the one that Playwright has downloaded.

    For one module at a time: while Playwright runs, so does its event loop, and no other test could run one.
    """
    programs = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in programs if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=OPTIONS, timeout=30_000)
        except Error:
            if path is None:
                pytest.skip("no Chromium: install the package chromium, or run playwright install chromium")
            raise
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    """Return a fresh profile at desktop width that waits for nothing longer than ten seconds."""
    context = chromium.new_context(viewport=DESKTOP)
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context):
    return context.new_page()


@pytest.fixture
def world(transactional_db, settings, tmp_path):
    """Write a paper venue, an account that may trade, instruments, limits and two people."""
    settings.MOONDEV_HALT_FILE = tmp_path / "halt"
    settings.REDIS_URL = f"{settings.REDIS_URL.rpartition('/')[0]}/{REDIS_DATABASE}"
    redis_nudges.cache_clear()
    redis_nudges()._redis.delete(HALTS_KEY)
    venue = Venue.objects.create(
        code="hyperliquid",
        protocol="hyperliquid",
        environment="paper",
        rest_url="http://localhost:8001/hl",
        websocket_url="ws://localhost:8001/hl/ws",
    )
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    Account.objects.create(code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency="USDC")
    for asset, tick in (("BTC", "1"), ("ETH", "0.1"), ("SOL", "0.001")):
        InstrumentRow.objects.create(
            venue=venue,
            symbol=asset,
            asset=asset,
            quote="USDC",
            tick=Decimal(tick),
            significant_figures=5,
            lot=Decimal("0.001"),
            min_notional=Decimal(10),
            max_leverage=20,
        )
    for kind, key in ((ScopeKind.PORTFOLIO, "paper"), (ScopeKind.ACCOUNT, "paper-1")):
        TradingState.objects.create(
            scope_kind=kind, scope_key=key, mode=TradingMode.ACTIVE, reason="opened", actor="test", changed_at=NOW
        )
    seed_limits("paper", actor="test", now=NOW)
    _people()
    yield venue
    redis_nudges()._redis.delete(HALTS_KEY)
    redis_nudges.cache_clear()


def _people():
    users = get_user_model().objects
    users.create_superuser("operator", password=PASSWORD)
    viewer = users.create_user("viewer", password=PASSWORD, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))


@pytest.fixture
def strategy(world):
    """Return a strategy that is not enabled yet."""
    return strategy_create(
        slug="turtle-btc",
        kind="turtle_trend",
        parameters=preset("turtle_trend", "canonical").model_dump(mode="json"),
        account=Account.objects.get(),
        instruments=[InstrumentRow.objects.get(symbol="BTC")],
        actor="test",
        now=NOW,
        capital=Decimal(10_000),
    )


@pytest.fixture
def log_in(page, live_server):
    """Return what logs a person in and opens an address of the admin."""

    def enter(user="operator", address="/admin/"):
        page.goto(f"{live_server.url}/admin/login/?next={address}")
        page.fill("#id_username", user)
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_url(f"**{address}")
        return page

    return enter


@pytest.fixture
def operator(world, log_in):
    return log_in()
