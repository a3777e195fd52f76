"""Every way in which an HTTP answer can go wrong, on a real socket, through the real SDK."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.hyperliquid.rest import Rest
from apps.exchanges.venues.hyperliquid.signing import Signature
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected

pytestmark = pytest.mark.contract

SIGNATURE = Signature("0x1", "0x2", 27)
ACTION = {"type": "scheduleCancel"}


class Scripted:
    """Answers each request with the next bytes of its script; None closes the connection unanswered."""

    def __init__(self, *script: bytes | None, wait_seconds: float = 0.0) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = list(script)
        self._wait = threading.Event()
        self._closed = threading.Event()
        self._wait_seconds = wait_seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/hl"

    def close(self) -> None:
        self._wait.set()
        self._closed.set()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while self._script and not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            with connection:
                connection.settimeout(5)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        while self._script:
            request = _whole_request(connection)
            if not request:
                return
            self.requests.append(request)
            self._wait.wait(self._wait_seconds)
            answer = self._script.pop(0)
            if answer is None:
                return
            try:
                connection.sendall(answer)
            except OSError:
                return


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            part = connection.recv(65_536)
        except OSError:
            return b""
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(
        next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1]
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def http(status: int, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@contextmanager
def venue(*script: bytes | None, wait_seconds: float = 0.0) -> Iterator[tuple[Scripted, Rest]]:
    server = Scripted(*script, wait_seconds=wait_seconds)
    rest = Rest(server.url, connect_timeout_seconds=1, read_timeout_seconds=0.5)
    try:
        yield server, rest
    finally:
        rest.close()
        server.close()


def send(rest: Rest) -> Any:
    return rest.exchange(ACTION, 5, SIGNATURE, 9)


def test_sends_the_documented_body_and_keeps_the_connection() -> None:
    answer = json.dumps({"status": "ok", "response": {"type": "default"}})
    with venue(http(200, answer), http(200, answer)) as (server, rest):
        assert send(rest)["status"] == "ok"
        assert send(rest)["status"] == "ok"
        assert server.connections == 1
    assert server.requests[0].startswith(b"POST /hl/exchange ")
    body = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    assert body == {
        "action": ACTION,
        "nonce": 5,
        "signature": {"r": "0x1", "s": "0x2", "v": 27},
        "vaultAddress": None,
        "expiresAfter": 9,
    }


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    rest = Rest(f"http://127.0.0.1:{port}")
    with pytest.raises(NotSent):
        send(rest)
    rest.close()


def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    rest = Rest("http://no-such-host.invalid")
    with pytest.raises(NotSent):
        send(rest)
    rest.close()


def test_a_connection_dropped_after_the_request_is_an_unknown_outcome_and_never_repeated() -> None:
    with venue(None, http(200, "{}")) as (server, rest):
        with pytest.raises(Connectivity) as caught:
            send(rest)
        assert not isinstance(caught.value, NotSent)
        assert len(server.requests) == 1


def test_an_answer_cut_short_is_an_unknown_outcome() -> None:
    whole = http(200, '{"status": "ok", "response": {"type": "default"}}')
    with venue(whole[:-10]) as (server, rest), pytest.raises(Connectivity) as caught:
        send(rest)
    assert not isinstance(caught.value, NotSent)
    assert len(server.requests) == 1


def test_silence_ends_in_an_unknown_outcome() -> None:
    with venue(http(200, "{}"), wait_seconds=3) as (_, rest), pytest.raises(Connectivity) as caught:
        send(rest)
    assert not isinstance(caught.value, NotSent)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_error_is_an_unknown_outcome(status: int) -> None:
    with venue(http(status, "oops")) as (_, rest), pytest.raises(Connectivity, match=f"{status}: oops"):
        send(rest)


@pytest.mark.parametrize("body", ["null", "", '{"error":"slow down"}', "[]", '"text"'])
def test_too_many_requests_survive_every_body_the_sdk_stumbles_over(body: str) -> None:
    with venue(http(429, body)) as (_, rest), pytest.raises(RateLimited) as caught:
        send(rest)
    assert caught.value.retry_after_seconds == 10


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 10.0), ("-1", 0.0)])
def test_the_venue_may_say_when_to_come_back(header: str, seconds: float) -> None:
    with venue(http(429, "null", f"Retry-After: {header}")) as (_, rest), pytest.raises(RateLimited) as caught:
        send(rest)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("body", ['{"error":"no code"}', "[1]", '"text"', '{"code":1,"msg":"m"}', "plain"])
def test_other_refusals_keep_status_and_body_where_the_sdk_dies(body: str) -> None:
    with venue(http(422, body)) as (_, rest), pytest.raises(VenueRejected) as caught:
        send(rest)
    assert (caught.value.code, caught.value.body, caught.value.http_status) == ("http_422", body, 422)


@pytest.mark.parametrize("body", ["<html>", "", '{"status":'])
def test_text_that_is_not_json_is_an_unknown_outcome(body: str) -> None:
    with venue(http(200, body)) as (_, rest), pytest.raises(ParseError, match="not JSON"):
        send(rest)


def test_a_redirect_is_not_followed_with_a_signed_request() -> None:
    with venue(http(200, "{}")) as (elsewhere, _):
        with venue(http(307, "", f"Location: {elsewhere.url}/exchange")) as (_, rest), pytest.raises(Connectivity):
            send(rest)
        assert elsewhere.requests == []


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with venue(http(200, "[]")) as (_, rest):
        assert rest.info({"type": "meta"}) == []
