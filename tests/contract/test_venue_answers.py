"""What the venues' page says of HTTP answers is what the real clients make of them, asked one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from apps.exchanges import registry
from apps.exchanges.ports import Environment, ParseError, VenueConfig
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected
from tests.contract.suite.venue import VenueUnderTest, venues_under_test

pytestmark = pytest.mark.contract

PAGE = Path(__file__).parents[2] / "apps" / "exchanges" / "venues" / "README.md"
START = "<!-- outcomes: measured by tests/contract/test_venue_answers.py, which prints the table when it differs -->"
END = "<!-- end of outcomes -->"
STATUSES = (301, 400, 401, 403, 404, 408, 418, 422, 429, 500, 502, 503, 504)
BODIES = {"200, not JSON": b"<html>", "200, an empty object": b"{}", "200, an empty list": b"[]"}
WORDS = {
    NotSent: "not sent",
    ParseError: "unknown (unreadable)",
    Connectivity: "unknown",
    RateLimited: "slow down",
    VenueRejected: "refused",
}


class Answers(ThreadingHTTPServer):
    """A venue that says one and the same thing to everything."""

    daemon_threads = True
    status, body = 200, b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server: Any = self.server
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(server.body)))
        if server.status == 301:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(server.body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names the base class calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answers() -> Iterator[Answers]:
    with Answers(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def outcome(venue: VenueUnderTest, server: Answers, status: int, body: bytes) -> str:
    """Return what the client of a venue makes of an answer to its first question."""
    server.status, server.body = status, body
    address = f"127.0.0.1:{server.server_address[1]}"
    # A name of its own for every question: whoever is told to rest, rests.
    config = VenueConfig(
        f"{venue.mock}-{status}-{len(body)}",
        venue.protocol,
        Environment.PAPER,
        f"http://{address}{venue.rest_path}",
        f"ws://{address}{venue.websocket_path}",
    )
    client = registry.market_data_for(config)
    try:
        client.instruments()
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return next((words for kind, words in WORDS.items() if isinstance(error, kind)), type(error).__name__)
    finally:
        client.close()
    return "read as nothing"


def table() -> str:
    venues = venues_under_test()
    rows = [["HTTP", *(f"`{venue.protocol}`" for venue in venues)], ["---"] * (len(venues) + 1)]
    with answers() as server:
        asked = [(str(status), status, b"no") for status in STATUSES]
        asked += [(name, 200, body) for name, body in BODIES.items()]
        rows += [[name, *(outcome(venue, server, status, body) for venue in venues)] for name, status, body in asked]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_page_says_what_an_answer_means_at_every_venue() -> None:
    measured = table()
    page = PAGE.read_text(encoding="utf-8")
    _, _, rest = page.partition(START)
    said, _, _ = rest.partition(END)
    print(measured)  # noqa: T201 - to be put into the page when it differs
    assert said.strip() == measured
    assert "read as nothing" not in measured
    # Whatever breaks at a venue, nobody may take the outcome for known.
    for line in measured.splitlines():
        if line.startswith(("| 5", "| 408", "| 301")):
            assert set(line.split("|")[2:-1]) <= {" unknown ", " unknown (unreadable) "}, line
        if line.startswith("| 429"):
            assert set(line.split("|")[2:-1]) == {" slow down "}, line
