"""How soon the dashboard shows its numbers in a real browser, and how much that browser loads."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.scrape import STRATEGIES, books
from tests.bench.servers import PROJECT, Servers, start_afresh
from tests.bench.web import Web, web_served

BUNDLE = PROJECT / "apps" / "monitor" / "static" / "moondev" / "dashboard"
OPENED = 20
OPTIONS = ("--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking", "--disable-sync")
# Milliseconds since the browser was asked for the page, once every strategy stands on it.
SHOWN = f"() => document.querySelectorAll('li.strategy').length >= {STRATEGIES} && performance.now()"
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


def run(servers: Servers) -> list[Section]:
    """Open the page often, each time in a browser profile that knows nothing of it."""
    connections.close_all()
    start_afresh(servers)
    books()
    rows = [_bundle()]
    with web_served() as web:
        session = _session()
        connections.close_all()
        # Playwright's event loop runs in this thread; only Django's checks mind.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        with _chromium() as browser:
            taken = [_opened(browser, web, session) for _ in range(1 + OPENED)][1:]
    loaded, shown = zip(*taken, strict=True)
    rows.append(Row("opened, nothing cached: loaded", Spread.of(loaded), note="wanted: < 1 s"))
    rows.append(Row("the same: every strategy shown", Spread.of(shown), note=f"{STRATEGIES} strategies, by the stream"))
    return [Section("dashboard", "Chromium; what it loads is gzip -9", rows)]


@contextmanager
def _chromium() -> Iterator[Browser]:
    programs = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in programs if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def _session() -> str:
    """Return the key of a session of somebody who may see everything."""
    user = get_user_model().objects.create_superuser("bench-operator")
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def _opened(browser: Browser, web: Web, session: str) -> tuple[float, float]:
    """Return after how many milliseconds the page was loaded, and showed what it is for."""
    home = f"http://127.0.0.1:{web.port}"
    profile = browser.new_context(viewport={"width": 1440, "height": 900})
    profile.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": home}])
    page = profile.new_page()
    page.goto(f"{home}/dashboard/")
    shown = page.wait_for_function(SHOWN, timeout=60_000).json_value()
    loaded = page.evaluate(LOADED)
    profile.close()
    return float(loaded), float(shown)


def _bundle() -> Row:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in sorted(BUNDLE.glob("*.*"))}
    parts = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
    return Row(
        "the bundle", Spread.of([]), note=f"wanted: < 300 kB; {sum(sizes.values()):.1f} kB: {parts}", facts=sizes
    )
