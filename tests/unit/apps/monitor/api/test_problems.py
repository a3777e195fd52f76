"""What went wrong is told as what it is, without a word of how it is made here."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from django.db import InterfaceError, OperationalError
from fastapi import FastAPI

from apps.monitor.api.problems import tell_problems
from moondev.domain.errors import Connectivity


def answered(error):
    """Return status and problem of a route that fails."""
    app, sent = FastAPI(), []
    tell_problems(app)

    @app.get("/x")
    async def fails():
        raise error

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/x", "raw_path": b"/x", "root_path": "",
        "scheme": "http", "query_string": b"", "headers": [(b"host", b"h")], "client": ("c", 1), "server": ("h", 80),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], orjson.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("connection to 10.0.0.9 refused"), "the database does not answer"),
        (InterfaceError("connection already closed"), "the database does not answer"),
        (Connectivity("the broker does not answer"), "the broker does not answer"),
    ],
)
def test_a_server_that_is_away_is_no_fault_of_the_request(error, words):
    status, problem = answered(error)
    assert (status, problem["status"], problem["detail"]) == (503, 503, words)
