"""One budget, many processes, a real Redis: together they never spend more than the venue allows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import redis
from django.conf import settings

from apps.exchanges.execution.throttle.shared import SharedThrottle, throttle_for
from apps.exchanges.throttling import Budget, Lane, Scope, Unlimited
from moondev.domain.errors import RateLimited
from tests.support.throttle_world import Attempt, most_in_a_window, needless_refusals, throttle

pytestmark = pytest.mark.integration

PROCESSES, SECONDS = 4, 0.5
BUDGET = Budget("weight", Scope.ADDRESS, capacity=60, seconds=0.25, reserved=0.2)
# Each process spends as fast as it can and tells when every spend was decided; the clock is the whole machine's.
SPENDER = f"""
import json, sys, time
import redis
from apps.exchanges.throttling import Budget, Lane, Scope
from tests.support.throttle_world import attempt, throttle
budget = Budget("weight", Scope.ADDRESS, capacity={BUDGET.capacity}, seconds={BUDGET.seconds}, reserved=0.2)
client = redis.Redis.from_url(sys.argv[1])
mine = throttle(client, sys.argv[2], budgets=[budget], venue="throttle-test")
mine.spend({{"weight": 0}})
print("ready", flush=True)
sys.stdin.readline()
ends = time.monotonic() + {SECONDS}
made = []
while time.monotonic() < ends:
    made.append(attempt(lambda: mine.spend({{"weight": 1}})))
print(json.dumps([[one.began, one.ended, one.passed] for one in made]))
"""


@pytest.fixture
def client():
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        for key in client.scan_iter("throttle:throttle-test:*"):
            client.delete(key)
        yield client


def test_processes_share_a_budget_and_leave_the_reserved_part_alone(client) -> None:
    command = [sys.executable, "-c", SPENDER, settings.REDIS_URL]
    children = [
        subprocess.Popen([*command, f"0x{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    outputs = [child.communicate(timeout=30)[0] for child in children]
    by_process = [[Attempt(*one) for one in json.loads(output)] for output in outputs]
    attempts = [one for made in by_process for one in made]
    ordinary = round(BUDGET.capacity * 0.8)
    assert all(any(one.passed for one in made) for made in by_process)
    assert most_in_a_window(attempts, BUDGET.seconds) <= ordinary
    assert needless_refusals(attempts, BUDGET.seconds, ordinary) == []
    # While all of them compete, a cancel finds the reserved part untouched.
    cancels = throttle(client, budgets=[BUDGET], venue="throttle-test")
    for _ in range(BUDGET.capacity - ordinary):
        cancels.spend({"weight": 1}, Lane.RESERVED)


def test_a_ban_heard_by_one_process_is_obeyed_by_another(client) -> None:
    throttle(client, "0xA", venue="throttle-test").rest(20.0, "HTTP 418: banned")
    told = (
        "import redis, sys; from tests.support.throttle_world import throttle;"
        "from moondev.domain.errors import RateLimited\n"
        "try: throttle(redis.Redis.from_url(sys.argv[1]), '0xB', venue='throttle-test').spend({'weight': 1})\n"
        "except RateLimited as error: print(error)"
    )
    said = subprocess.run(
        [sys.executable, "-c", told, settings.REDIS_URL], capture_output=True, text=True, timeout=30, check=True
    )
    assert "HTTP 418: banned" in said.stdout


def test_the_settings_say_whether_requests_are_counted(client, settings) -> None:
    assert isinstance(throttle_for("throttle-test", [BUDGET]), Unlimited)
    settings.MOONDEV_RATE_LIMITS = "on"
    counted = throttle_for("throttle-test", [BUDGET], "0xA", "key")
    assert isinstance(counted, SharedThrottle)
    counted.spend({"weight": 48})
    with pytest.raises(RateLimited):
        throttle_for("throttle-test", [BUDGET], "0xB", "another key").spend({"weight": 1})
    # Nothing that Redis holds tells of a key.
    assert all(b"key" not in name for name in client.scan_iter("throttle:throttle-test:*"))
