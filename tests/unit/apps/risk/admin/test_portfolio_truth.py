"""The truth on the operator's page and command line, and rates to be set by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from apps.risk.models import ConversionRate
from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.truth import truth_write
from moondev.domain.clock import process_clock

pytestmark = pytest.mark.django_db
D = Decimal
PAGE = "/admin/risk/truthrow/"
ADD = "/admin/risk/conversionrate/add/"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ann", "", "x"))
    return client


def write(equity: Decimal | None, why: str = "") -> None:
    now = process_clock().now()
    total = Figures("USDC", equity, realised=D(7), unrealised=D(3), fees=D(2), funding=D(1), why=why, taken_at=now)
    rows = {
        ("paper", "total", "paper"): total,
        ("paper", "account", "hl-1"): Figures("USDC", D("1234.5"), taken_at=now),
        ("live", "total", "live"): Figures("USDT", D(5), taken_at=now),
    }
    truth_write(rows, now)


def test_the_page_shows_each_environment_in_its_currency_and_says_what_is_not_known(operator) -> None:
    assert "written nothing yet" in operator.get(PAGE).content.decode()
    write(None, "hl-2 does not answer")
    page = operator.get(PAGE).content.decode()
    assert "paper, in USDC" in page
    assert "live, in USDT" in page
    assert "Not known: hl-2 does not answer" in page
    assert "1,234.50" in page
    # 7 + 3 - 2 + 1
    assert "<td>9.00</td>" in page


def test_the_page_is_for_those_who_may_see_it_and_changes_nothing(operator) -> None:
    write(D(1))
    assert operator.get(f"{PAGE}add/").status_code == 403
    stranger = Client()
    stranger.force_login(User.objects.create_user("bob", "", "x", is_staff=True))
    assert stranger.get(PAGE).status_code == 403


def test_the_command_prints_it_and_ends_with_one_when_equity_is_not_known() -> None:
    with pytest.raises(SystemExit):
        call_command("portfolio", stdout=StringIO(), stderr=StringIO())
    write(D("1500.25"))
    out = StringIO()
    call_command("portfolio", "--environment", "paper", stdout=out)
    assert "1,500.25" in out.getvalue()
    assert "live" not in out.getvalue()
    out = StringIO()
    call_command("portfolio", "--json", stdout=out)
    printed = {truth["environment"]: truth for truth in json.loads(out.getvalue())}
    assert D(printed["paper"]["everything"]["paper"]["equity"]) == D("1500.25")
    assert set(printed) == {"paper", "live"}
    write(None, "no rate of USDT in USDC")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("portfolio", stdout=out)
    assert "not known: no rate of USDT in USDC" in out.getvalue()


def test_a_rate_set_by_hand_says_who_and_why_and_holds_for_as_long_as_was_said(operator) -> None:
    form = {"base": "USDT", "quote": "USD", "rate": "0.999", "max_age_seconds": "3600", "reason": "redeemed today"}
    assert operator.post(ADD, {**form, "reason": ""}).status_code == 200
    assert operator.post(ADD, {**form, "rate": "-1"}).status_code == 200
    assert not ConversionRate.objects.exists()
    assert operator.post(ADD, form).status_code == 302
    row = ConversionRate.objects.get()
    assert (row.rate, row.actor, row.reason, row.source) == (D("0.999"), "ann", "redeemed today", "set by ann")
    assert abs(process_clock().now() - row.at) < timedelta(minutes=5)
    page = operator.get("/admin/risk/conversionrate/").content.decode()
    assert "fresh" in page
    ConversionRate.objects.update(at=row.at - timedelta(hours=2))
    assert "stale" in operator.get("/admin/risk/conversionrate/").content.decode()
    change = f"/admin/risk/conversionrate/{row.pk}/change/"
    assert operator.post(change, {**form, "base": "EUR", "rate": "1.001"}).status_code == 302
    row.refresh_from_db()
    # The pair stays; saving is a new look.
    assert (row.base, row.rate, row.at > process_clock().now() - timedelta(minutes=5)) == ("USDT", D("1.001"), True)
