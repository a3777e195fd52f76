"""What an operator mistypes is answered with the field, the value and what is allowed; nothing has changed then."""

import subprocess
import sys

import pytest

from apps.exchanges.models import InstrumentRow, TradingState, Veto
from apps.strategies.models import StrategyRow
from apps.strategies.services import strategy_create
from moondev.domain.errors import Configuration, InvalidValue
from tests.chaos.platform import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def manage(platform, *arguments):
    """Run a command as an operator would; return its exit code and what it said on standard error."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", **platform.environment},
        timeout=60,
    )
    return done.returncode, done.stderr


def create(trader, kind="turtle_trend", parameters=None, instruments=None, **settings):
    return strategy_create(
        slug=trader.strategy,
        kind=kind,
        parameters=parameters or {},
        account=trader.account,
        instruments=[trader.btc] if instruments is None else instruments,
        actor="test",
        now=trader.clock.now(),
        **settings,
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("turtle_trend", {"risk_percent": -0.5}, ["risk_percent is -0.5", "above 0"]),
        ("turtle_trend", {"risk_percent": "much"}, ["risk_percent is 'much'", "a number"]),
        ("turtle_trend", {"no_such_thing": 1}, ["no_such_thing", "only "]),
        ("turtle_trend", {"max_units": 99}, ["max_units is 99", "at most 12"]),
        ("market_maker", {"order_weight_percent": -1}, ["order_weight_percent is -1", "above 0"]),
    ],
)
def test_parameters_out_of_range_are_refused_and_no_strategy_is_made(trader, kind, parameters, words):
    with pytest.raises(InvalidValue) as caught:
        create(trader, kind, parameters)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert not StrategyRow.objects.filter(slug=trader.strategy).exists()


def test_a_strategy_that_nobody_has_written_is_refused_with_those_there_are(trader):
    with pytest.raises(Configuration, match=r"'martingale'; allowed: .*turtle_trend"):
        create(trader, "martingale")
    assert not StrategyRow.objects.filter(slug=trader.strategy).exists()


def test_an_instrument_that_is_not_listed_any_more_is_refused(trader):
    gone = InstrumentRow.objects.create(
        venue=trader.btc.venue, symbol=f"GONE{trader.account.pk}", asset="GONE", quote="USDC", venue_asset_id="998",
        tick=trader.btc.tick, significant_figures=5, lot=trader.btc.lot, min_notional=10, max_leverage=10, active=False,
    )  # fmt: skip
    with pytest.raises(InvalidValue, match=f"instrument is '?{gone.key}'?; allowed: an instrument that is listed"):
        create(trader, instruments=[gone])
    assert not StrategyRow.objects.filter(slug=trader.strategy).exists()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("instrument:hyperliquid:NOPE", ["hyperliquid:NOPE", "allowed", "hyperliquid:BTC"]),
        ("planet:mars", ["planet", "allowed"]),
    ],
)
def test_a_halt_of_something_that_does_not_exist_fails_loudly_and_halts_nothing(platform, scope, words):
    before = TradingState.objects.count()
    code, said = manage(platform, "kill_switch", "engage", "--scope", scope)
    assert code == 1
    assert all(word in said for word in words), said
    assert "Traceback" not in said
    assert TradingState.objects.count() == before
    assert not Veto.objects.filter(reason__contains=scope).exists()


def test_a_stream_of_a_venue_nobody_knows_says_which_there_are(platform):
    code, said = manage(platform, "stream", "user", "--venue", "nowhere")
    assert code == 1
    assert "venue is 'nowhere'; allowed: hyperliquid" in said
    assert "Traceback" not in said
