"""What is said while Flower does not answer."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import HTTPConnection
from starlette.types import Scope, Send

from apps.monitor.api.problems import MEDIA_TYPE, Problem

_WORDS = "Flower does not answer. Is its process running? What trades does not need it."
_PAGE = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Flower does not answer</title>
<meta name="viewport" content="width=device-width"><h1>Flower does not answer</h1>
<p>{_WORDS}</p><p><a href="/flower/">Try again</a> · <a href="/dashboard/">Dashboard</a> ·
<a href="/admin/">Admin</a></p>
</html>"""


async def send_away(scope: Scope, send: Send) -> None:
    """Answer 502: a page for a person, a problem for a program."""
    status = HTTPStatus.BAD_GATEWAY
    if "text/html" in HTTPConnection(scope).headers.get("accept", ""):
        body, kind = _PAGE.encode(), "text/html; charset=utf-8"
    else:
        told = Problem(title=status.phrase, status=status, detail=_WORDS, instance=scope["path"])
        body, kind = told.model_dump_json().encode(), MEDIA_TYPE
    headers = {
        "content-type": kind, "content-length": str(len(body)), "cache-control": "no-store", "retry-after": "5",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    }  # fmt: skip
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
