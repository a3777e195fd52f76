"""What a drill may touch, and what it may release: nothing but its own halt, and nothing near real money."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from apps.exchanges.models import Account, TradingMode, TradingState, Venue, Veto
from apps.risk import vetoes
from apps.risk.drill import rehearse
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue, RateLimited
from tests.unit.apps.risk.breakers.conftest import NOW, account  # noqa: F401  the same world

PORTFOLIO = ("portfolio", "paper")
EMPTY = SimpleNamespace(open_orders=list, account_snapshot=lambda: SimpleNamespace(positions=[]))
SESSIONS = SimpleNamespace(session=lambda *_: SimpleNamespace(client=EMPTY))


def drill(follow):
    return rehearse(PORTFOLIO, flatten=True, actor="ann", clock=FixedClock(NOW), sessions=SESSIONS, follow=follow)


def finish(_ids):
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)


def mode():
    return TradingState.objects.get(scope_kind="portfolio").mode


def test_a_halt_that_somebody_engages_during_a_drill_outlives_it(account):  # noqa: F811  the fixture above
    def interrupted(ids):
        vetoes.engage(scope=PORTFOLIO, mode=TradingMode.HALTED, flatten=False, reason="fire", actor="bea", now=NOW)
        finish(ids)

    with pytest.raises(InvalidValue, match="not halted again meanwhile"):
        drill(interrupted)
    assert mode() == "halted"


def test_a_portfolio_with_real_money_on_an_account_that_is_switched_off_is_not_drilled(account):  # noqa: F811
    venue = Venue.objects.create(
        code="real", protocol="hyperliquid", environment="live", rest_url="http://x", websocket_url="ws://x"
    )
    Account.objects.create(
        code="old", venue=venue, portfolio=account.portfolio, address="0x2", currency="USDC", enabled=False
    )
    with pytest.raises(InvalidValue, match="'old'; allowed: paper accounts only"):
        drill(finish)
    assert not Veto.objects.exists()


def test_a_drill_lets_its_own_halt_go(account):  # noqa: F811  the fixture's value
    assert drill(finish).problems == ()
    assert mode() == "active"


def test_a_venue_that_wants_rest_is_asked_again_when_it_says(account):  # noqa: F811  the fixture's value
    slept, refusals = [], [RateLimited("busy", 3.0), RateLimited("busy", 0.0)]

    def open_orders():
        if refusals:
            raise refusals.pop(0)
        return []

    client = SimpleNamespace(open_orders=open_orders, account_snapshot=EMPTY.account_snapshot)
    sessions = SimpleNamespace(session=lambda *_: SimpleNamespace(client=client))
    found = rehearse(
        PORTFOLIO, flatten=True, actor="ann", clock=FixedClock(NOW), sessions=sessions, follow=finish,
        sleep=slept.append,
    )  # fmt: skip
    assert (found.problems, slept, mode()) == ((), [3.0, 0.2], "active")
