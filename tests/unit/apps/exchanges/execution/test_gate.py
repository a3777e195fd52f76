from __future__ import annotations

from pathlib import Path

import pytest
import redis

from apps.exchanges.execution import gate, nudges
from apps.exchanges.execution.gate import GateScope, gate_modes, passes, strictest
from apps.exchanges.execution.nudges import RedisNudges, halt_file_mode, halt_file_remove, halt_file_write
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.models import TradingMode, TradingState, TradingStateChange
from moondev.domain.errors import InvalidValue
from tests.support.order_world import NOW, World, make_world

pytestmark = pytest.mark.django_db
M = TradingMode
SCOPE = GateScope("paper", "hyperliquid", "paper-1", "turtle", "hyperliquid:BTC")


@pytest.fixture
def world() -> World:
    return make_world()


class FakeRedis:
    """The three calls that the nudges make."""

    def __init__(self) -> None:
        self.hash: dict[bytes, bytes] = {}
        self.asked = 0
        self.down = False

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise redis.ConnectionError("down")

    def hgetall(self, name: str) -> dict[bytes, bytes]:
        self._ask()
        return self.hash

    def hset(self, name: str, key: str, value: str) -> None:
        self._ask()
        self.hash[key.encode()] = value.encode()

    def hdel(self, name: str, key: str) -> None:
        self._ask()
        self.hash.pop(key.encode(), None)


@pytest.fixture
def said(monkeypatch) -> RedisNudges:
    found = RedisNudges(FakeRedis())
    monkeypatch.setattr(gate, "redis_nudges", lambda: found)
    return found


def test_is_open_when_nobody_says_otherwise(world: World) -> None:
    assert gate_modes([SCOPE], NOW) == {SCOPE: M.ACTIVE}


def test_the_strictest_of_all_scopes_binds(world: World) -> None:
    for kind, key, mode in (("strategy", "turtle", "reducing"), ("instrument", "hyperliquid:BTC", "halted")):
        trading_state_set(scope_kind=kind, scope_key=key, mode=mode, reason="r", actor="a", now=NOW)
    other = GateScope("paper", "hyperliquid", "paper-1", "turtle", "hyperliquid:ETH")
    assert gate_modes([SCOPE, other], NOW) == {SCOPE: M.HALTED, other: M.REDUCING}


@pytest.mark.parametrize("kind", ["portfolio", "account"])
def test_a_missing_row_of_portfolio_or_account_halts(world: World, kind: str) -> None:
    TradingState.objects.filter(scope_kind=kind).delete()
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.HALTED


def test_redis_can_halt_what_sql_leaves_open(world: World, said: RedisNudges) -> None:
    assert said.engage(("strategy", "turtle"), M.HALTED)
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.HALTED
    assert said.release(("strategy", "turtle"))
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.ACTIVE


def test_redis_cannot_release_what_sql_halts(world: World, said: RedisNudges) -> None:
    trading_state_set(scope_kind="everything", scope_key="*", mode="halted", reason="r", actor="a", now=NOW)
    said.engage(("everything", "*"), M.ACTIVE)
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.HALTED


def test_a_mode_redis_cannot_spell_halts(world: World, said: RedisNudges) -> None:
    said._redis.hash[b"everything:*"] = b"???"
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.HALTED


def test_redis_down_leaves_the_decision_to_sql_and_is_not_asked_again_at_once(world: World, said: RedisNudges) -> None:
    said._redis.down = True
    assert gate_modes([SCOPE], NOW)[SCOPE] is M.ACTIVE
    gate_modes([SCOPE], NOW)
    assert said._redis.asked == 1
    assert not said.engage(("everything", "*"), M.HALTED)
    assert not said.release(("everything", "*"))


@pytest.mark.parametrize(
    ("text", "mode"), [(None, M.ACTIVE), ("", M.HALTED), ("reducing: x", M.HALTED), ("reducing x", M.REDUCING)]
)
def test_the_halt_file_speaks_for_this_machine(
    world: World, settings, tmp_path: Path, text: str | None, mode: TradingMode
) -> None:
    settings.MOONDEV_HALT_FILE = tmp_path / "run" / "halt"
    if text is not None:
        settings.MOONDEV_HALT_FILE.parent.mkdir()
        settings.MOONDEV_HALT_FILE.write_text(text)
    assert gate_modes([SCOPE], NOW)[SCOPE] is mode


def test_a_halt_file_that_cannot_be_read_halts(settings, tmp_path: Path) -> None:
    settings.MOONDEV_HALT_FILE = tmp_path
    assert halt_file_mode() is M.HALTED


def test_the_halt_file_is_written_and_taken_away(settings, tmp_path: Path) -> None:
    settings.MOONDEV_HALT_FILE = tmp_path / "run" / "halt"
    halt_file_write(M.REDUCING, "drill")
    assert halt_file_mode() is M.REDUCING
    halt_file_remove()
    halt_file_remove()
    assert halt_file_mode() is M.ACTIVE


def test_exits_pass_reducing_and_nothing_passes_halted() -> None:
    assert passes(M.ACTIVE, reduces=False)
    assert passes(M.REDUCING, reduces=True)
    assert not passes(M.REDUCING, reduces=False)
    assert not passes(M.HALTED, reduces=True)
    assert strictest([]) is M.ACTIVE


def test_a_state_set_twice_has_a_history_and_a_rising_epoch(world: World) -> None:
    first = trading_state_set(scope_kind="venue", scope_key="v", mode="halted", reason="r", actor="a", now=NOW)
    second = trading_state_set(scope_kind="venue", scope_key="v", mode="halted", reason="r", actor="a", now=NOW)
    assert (first.epoch, second.epoch, first.pk == second.pk) == (1, 2, True)
    changes = TradingStateChange.objects.filter(scope_kind="venue").order_by("pk")
    assert [(c.mode_from, c.mode_to) for c in changes] == [("", "halted"), ("halted", "halted")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("scope_kind", "planet"), ("mode", "off"), ("scope_key", ""), ("scope_key", "*"), ("reason", ""), ("actor", "")],
)
def test_refuses_a_state_that_makes_no_sense(world: World, field: str, value: str) -> None:
    fields = {"scope_kind": "venue", "scope_key": "v", "mode": "halted", "reason": "r", "actor": "a", field: value}
    with pytest.raises(InvalidValue, match=field):
        trading_state_set(**fields, now=NOW)
    assert not TradingState.objects.filter(scope_kind="venue").exists()


def test_this_process_has_one_view_of_redis() -> None:
    assert nudges.redis_nudges() is nudges.redis_nudges()
