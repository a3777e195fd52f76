"""What the mock's Phemex admits, and what it says about it."""

from __future__ import annotations

from apps.exchanges.mock.wire.phemex.limits import IP_REQUESTS, Group, Windows


def test_a_group_has_its_minute_and_the_headers_say_what_is_left() -> None:
    windows = Windows()
    first = windows.spend("me", Group.CONTRACT, 25, now=30.0)
    assert first.headers() == {"x-ratelimit-remaining-Contract": "475", "x-ratelimit-capacity-Contract": "500"}
    assert windows.spend("me", Group.CONTRACT, 475, now=40.0).left == 0
    refused = windows.spend("me", Group.CONTRACT, 1, now=45.0)
    assert (refused.admitted, refused.headers()["x-ratelimit-retry-after-Contract"]) == (False, "15")
    # Others have theirs, other groups too, and a new minute is a new one.
    assert windows.spend("you", Group.CONTRACT, 500, now=45.0).admitted
    assert windows.spend("me", Group.OTHERS, 100, now=45.0).headers() == {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-capacity": "100",
    }
    assert windows.spend("me", Group.CONTRACT, 500, now=60.0).admitted


def test_an_address_that_goes_too_far_is_blocked_for_five_minutes() -> None:
    windows = Windows()
    assert {windows.blocked_for("1.2.3.4", 10.0) for _ in range(IP_REQUESTS)} == {0}
    assert windows.blocked_for("1.2.3.4", 11.0) == 300
    assert windows.blocked_for("1.2.3.4", 200.0) > 0
    assert windows.blocked_for("5.6.7.8", 200.0) == 0
    assert windows.blocked_for("1.2.3.4", 312.0) == 0
