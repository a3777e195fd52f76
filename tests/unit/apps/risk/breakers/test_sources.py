"""A loss that is only missing money trips nothing, and missing money hides no loss beside it."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from apps.risk.breakers import sources
from apps.risk.breakers.load import HostLoad, Look
from apps.risk.breakers.sources import OwnLooks, Sources
from apps.risk.models import Breaker
from apps.risk.portfolio.drawdown import Mark
from moondev.domain.clock import FixedClock
from tests.unit.apps.risk.breakers.conftest import NOW
from tests.unit.apps.risk.breakers.test_readings import MINUTES, PORTFOLIO, worth

D = Decimal


@pytest.mark.parametrize(
    ("missing", "reading"), [(None, D("0.16")), (1_000, D("0.16")), (11_000, D("0.16")), (12_000, None)]
)
@pytest.mark.parametrize("peak_known", [True, False])
def test_missing_money_hides_what_it_explains_and_no_more(account, monkeypatch, missing, reading, peak_known):
    worth(account, 100_000, before=60 * MINUTES)
    worth(account, 84_000)
    gaps = [] if missing is None else [SimpleNamespace(missing=D(missing))]
    monkeypatch.setattr(sources, "read_gaps", lambda *_: gaps)
    marks = {PORTFOLIO: Mark(D(100_000), D(84_000), D(100_000), NOW)} if peak_known else {}
    own = OwnLooks(HostLoad(lambda: Look(0.0, 0.0, 0.0)))
    found = Sources([account], {account.pk: object()}, marks, own, FixedClock(NOW)).read(
        Breaker.objects.get(code="day-loss")
    )
    assert found == {PORTFOLIO: reading if peak_known or not missing else None}
