"""Each layer is imported in a process of its own, as it is in life."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[4]
SECRETS = {
    "SECRET_KEY": "a-long-and-secret-key",
    "ALLOWED_HOSTS": "trading.example",
    "DATABASE_URL": "postgres://user:password@db.example/moondev",
    "BROKER_URL": "amqp://user:password@mq.example//",
    "REDIS_URL": "redis://cache.example/0",
}


def load(layer, **environment):
    program = (
        f"import json; from moondev.settings import {layer} as s\n"
        "print(json.dumps({n: str(getattr(s, n)) for n in dir(s) if n.isupper()}))"
    )
    clean = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=PROJECT_ROOT, env=clean
    )


@pytest.mark.parametrize("layer", ["dev", "test"])
def test_development_and_tests_need_no_configuration(layer):
    result = load(layer)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["MOONDEV_LIVE_TRADING"] == ""


@pytest.mark.parametrize("missing", sorted(SECRETS))
@pytest.mark.parametrize("layer", ["production", "staging"])
def test_production_and_staging_refuse_to_start_without(layer, missing):
    result = load(layer, **{name: value for name, value in SECRETS.items() if name != missing})
    assert result.returncode != 0
    assert f"{missing} is not set" in result.stderr


def test_production_has_every_setting_that_development_has_and_no_other():
    production = json.loads(load("production", **SECRETS).stdout)
    development = json.loads(load("dev").stdout)
    assert set(development) == {name for name in production if not name.startswith(("SECURE_", "SESSION_", "CSRF_C"))}
    assert production["DEBUG"] == "False"


def test_production_trades_real_money_only_when_told_in_words():
    assert json.loads(load("production", **SECRETS).stdout)["MOONDEV_LIVE_TRADING"] == ""
    told = load("production", **SECRETS, MOONDEV_LIVE_TRADING="yes-trade-real-money")
    assert json.loads(told.stdout)["MOONDEV_LIVE_TRADING"] == "yes-trade-real-money"
    assert load("production", **SECRETS, MOONDEV_LIVE_TRADING="true").returncode != 0


@pytest.mark.parametrize("layer", ["staging", "test"])
def test_staging_and_tests_never_trade_real_money(layer):
    result = load(layer, **SECRETS, MOONDEV_LIVE_TRADING="yes-trade-real-money")
    assert json.loads(result.stdout)["MOONDEV_LIVE_TRADING"] == ""


def test_development_does_not_trade_real_money_behind_the_key_that_everybody_knows():
    result = load("dev", MOONDEV_LIVE_TRADING="yes-trade-real-money")
    assert result.returncode != 0
    assert "SECRET_KEY" in result.stderr
    assert load("dev", MOONDEV_LIVE_TRADING="yes-trade-real-money", SECRET_KEY="of my own").returncode == 0
