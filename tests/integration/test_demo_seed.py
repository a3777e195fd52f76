"""The demo's rows, made against the real mock exchange."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from apps.exchanges.models import Account, InstrumentRow, Signer, TradingMode, TradingState, Transfer
from apps.monitor.demo.mock_accounts import open_account, wait_for_mock
from apps.monitor.demo.paper import ACCOUNTS, PURPOSES, PaperAccount, paper_secrets
from apps.monitor.demo.report import compare
from apps.monitor.demo.seed import Login, seed_demo
from apps.risk.models import Limit, LimitKind
from apps.risk.services import SEED_LIMITS
from apps.strategies.models import StrategyRow
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Configuration, Connectivity
from moondev.servers.probes import free_port

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CLOCK = LiveClock()
LOGIN = Login("operator", "a-password-of-this-test")

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def mock_url(tmp_path_factory):
    port = free_port()
    log = tmp_path_factory.mktemp("mock") / "log"
    with log.open("wb") as output:
        mock = subprocess.Popen(
            [sys.executable, "-m", "apps.exchanges.mock", "--port", str(port)],
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=output,
        )
    url = f"http://localhost:{port}"
    try:
        wait_for_mock(url, timeout_s=60, alive=lambda: None)
        yield url
    finally:
        mock.terminate()
        mock.wait(timeout=10)


@pytest.fixture
def seeded(db, mock_url, monkeypatch):
    for name, value in paper_secrets(ACCOUNTS).items():
        monkeypatch.setenv(name, value)
    return seed_demo(mock_url=mock_url, login=LOGIN, clock=CLOCK, speed=1.0)


def test_accounts_are_opened_and_their_agents_may_sign(mock_url, seeded):
    for account in ACCOUNTS:
        open_account(mock_url, account, CLOCK)
    for account in Account.objects.all():
        comparison = compare(account)
        assert comparison.venue == comparison.ledger == 100_000


def test_what_the_mock_refuses_is_told_in_its_own_words(mock_url):
    nobody = PaperAccount("nobody", Decimal(-1))
    with pytest.raises(Configuration, match=r"refused the account nobody: .*deposit"):
        open_account(mock_url, nobody, CLOCK)


def test_everything_a_strategy_needs_is_there(seeded):
    followers, makers = ["turtle-btc", "turtle-eth", "turtle-sol"], ["maker-btc", "maker-eth", "maker-sol"]
    assert seeded == [*followers, *makers, "reversion-btc", "pop-eth", "kernel-sol", "follower"]
    assert set(StrategyRow.objects.filter(enabled=True).values_list("slug", flat=True)) == set(seeded)
    assert set(InstrumentRow.objects.values_list("symbol", flat=True)) >= {"BTC", "ETH", "SOL"}
    assert Signer.objects.count() == len(ACCOUNTS) * len(PURPOSES)
    assert {limit.kind for limit in Limit.objects.all()} == set(SEED_LIMITS)
    scopes = TradingState.objects.filter(mode=TradingMode.ACTIVE).values_list("scope_kind", "scope_key")
    assert {("portfolio", "paper"), ("account", "paper-trend"), ("account", "paper-maker")} <= set(scopes)


def test_the_operator_can_log_in_with_the_printed_password_only(seeded, client):
    user = get_user_model().objects.get(username="operator")
    assert user.is_superuser
    assert user.check_password(LOGIN.password)
    assert LOGIN.password not in user.password
    assert client.login(username="operator", password=LOGIN.password)


def test_seeding_twice_changes_nothing(mock_url, seeded):
    before = [Transfer.objects.count(), StrategyRow.objects.count(), Limit.objects.count(), Signer.objects.count()]
    assert seed_demo(mock_url=mock_url, login=LOGIN, clock=CLOCK, speed=1.0) == seeded
    after = [Transfer.objects.count(), StrategyRow.objects.count(), Limit.objects.count(), Signer.objects.count()]
    assert after == before


def test_no_key_is_stored_in_the_database(seeded):
    keys = {key.removeprefix("0x") for key in paper_secrets(ACCOUNTS).values()}
    for signer in Signer.objects.all():
        assert not any(key in f"{signer.address}{signer.secret_name}" for key in keys)


@pytest.mark.django_db
def test_in_a_fast_replay_data_may_be_older_by_the_same_factor(mock_url):
    seed_demo(mock_url=mock_url, login=LOGIN, clock=CLOCK, speed=120.0)
    assert Limit.objects.get(kind=LimitKind.MAX_DATA_AGE_MS).value == 600_000
    maker = StrategyRow.objects.get(slug="maker-btc")
    assert maker.parameters["max_data_age_seconds"] == 600.0
    assert maker.trigger == "bar"


def test_a_mock_that_does_not_answer_is_named():
    with pytest.raises(Connectivity, match="the mock exchange at http://localhost:1 did not answer"):
        wait_for_mock("http://localhost:1", timeout_s=0.3, alive=lambda: None)
