import asyncio
import json
import logging

import pytest

from moondev.logs.context import current
from moondev.logs.lines import JsonLines
from moondev.logs.requests import Requests


def served(method="GET", path="/api/v1/orders", headers=(), status=200, kind="http"):
    """Return the id that the application saw, and the headers of the answer."""
    seen, sent = [], []

    async def app(scope, receive, send):
        seen.append(dict(current()).get("request", ""))
        if status is None:
            raise RuntimeError("no")
        await send({"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "headers": list(headers), "client": ("10.0.0.9", 1)}
    scope["query_string"] = b"token=planted"
    asyncio.run(Requests(app)(scope, None, send))
    return seen[0], dict(sent[0]["headers"])


def test_a_request_has_one_id_in_its_lines_and_its_answer():
    request, headers = served()
    assert len(request) == 32
    assert headers == {b"a": b"b", b"x-request-id": request.encode()}
    assert served()[0] != request
    assert dict(current()) == {}
    assert served(headers=[(b"x-request-id", b"my-own.id_1")])[0] == "my-own.id_1"
    assert len(served(kind="websocket")[0]) == 32
    assert served(kind="lifespan")[0] == ""


@pytest.mark.parametrize("planted", [b"short", b"x" * 65, b"with space", b"line\nend-line", "ünicode-id".encode()])
def test_an_id_that_is_no_id_is_replaced(planted):
    assert len(served(headers=[(b"x-request-id", planted)])[0]) == 32


@pytest.mark.parametrize(
    ("method", "status", "level"),
    [
        ("GET", 200, "debug"), ("GET", 404, "debug"), ("GET", 403, "info"), ("POST", 201, "info"),
        ("DELETE", 422, "info"), ("GET", 503, "error"), ("POST", None, "error"),
    ],
)  # fmt: skip
def test_writes_and_what_went_wrong_are_told_without_the_query(caplog, method, status, level):
    caplog.set_level(logging.DEBUG, logger="moondev.logs.requests")
    try:
        served(method, status=status)
    except RuntimeError:
        assert status is None
    (record,) = [one for one in caplog.records if one.name == "moondev.logs.requests"]
    said = json.loads(JsonLines("web", "e", "h").format(record))
    assert said["log.level"] == level
    assert said["message"].startswith(f"{method} /api/v1/orders from 10.0.0.9: {status or 500} in ")
    assert "planted" not in said["message"]
