"""Nothing passes between a browser and Flower but what is named."""

from __future__ import annotations

import base64

import pytest

from apps.monitor.flower.headers import answered_by_flower, asked_of_flower, own_location
from apps.monitor.flower.place import flower_secret


def test_flower_gets_our_secret_and_nothing_of_who_asks():
    asked = asked_of_flower(
        [
            (b"cookie", b"sessionid=1"), (b"authorization", b"Bearer mdat_1_2"), (b"host", b"trade.example"),
            (b"connection", b"upgrade, x-mine"), (b"x-mine", b"1"), (b"transfer-encoding", b"chunked"),
            (b"origin", b"https://trade.example"), (b"x-forwarded-for", b"10.0.0.1"), (b"accept", b"text/html"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]
    )  # fmt: skip
    credentials = base64.b64encode(f"web:{flower_secret()}".encode()).decode()
    assert asked == {
        "accept-encoding": "identity", "accept": "text/html", "content-type": "application/x-www-form-urlencoded",
        "authorization": f"Basic {credentials}",
    }  # fmt: skip


def test_a_browser_gets_no_cookie_of_flowers_and_guards_of_ours():
    headers = {
        "Set-Cookie": "_xsrf=1", "WWW-Authenticate": "Basic", "Server": "TornadoServer/6", "Connection": "keep-alive",
        "Transfer-Encoding": "chunked", "Access-Control-Allow-Origin": "*", "Content-Type": "text/html",
        "Etag": '"1"',
    }  # fmt: skip
    told = dict(answered_by_flower(headers))
    assert {name for name in told if not name.startswith((b"x-", b"content-security", b"referrer"))} == {
        b"content-type", b"etag", b"cache-control",
    }  # fmt: skip
    assert told[b"x-content-type-options"] == b"nosniff"
    policy = told[b"content-security-policy"].decode()
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("location", "ours"),
    [
        ("/flower/workers?a=1", "/flower/workers?a=1"),
        ("http://flower/flower/tasks", "/flower/tasks"),
        ("https://elsewhere.example/x", "/flower/"),
        ("//elsewhere.example/flower/x", "/flower/x"),
        ("/admin/logout/", "/flower/"),
        ("/flowery", "/flower/"),
    ],
)
def test_it_sends_nobody_elsewhere(location, ours):
    assert own_location(location) == ours
