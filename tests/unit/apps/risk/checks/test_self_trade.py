from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from apps.risk.checks.candidate import Resting, Tally
from apps.risk.checks.self_trade import find_own_counterparty
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Price, Side


def resting(side: Side, price: str, instrument: str = "hyperliquid:BTC") -> Tally:
    tally = Tally()
    order_id = uuid4()
    tally.resting[order_id] = Resting(order_id, instrument, side, Price(Decimal(price)))
    return tally


@pytest.mark.parametrize(("side", "price", "other"), [(Side.BUY, "100000", "100000"), (Side.SELL, "100000", "100001")])
def test_refuses_an_order_that_would_meet_our_own(candidate, side, price, other) -> None:
    breach = find_own_counterparty(candidate(side, price=price, tally=resting(side.opposite, other)))
    assert breach is not None
    assert breach.code is RefusalCode.SELF_TRADE


@pytest.mark.parametrize(("side", "price", "other"), [(Side.BUY, "99999", "100000"), (Side.SELL, "100001", "100000")])
def test_quotes_that_do_not_cross_may_rest_together(candidate, side, price, other) -> None:
    assert find_own_counterparty(candidate(side, price=price, tally=resting(side.opposite, other))) is None


def test_the_same_side_and_other_instruments_are_no_counterparty(candidate) -> None:
    assert find_own_counterparty(candidate(tally=resting(Side.BUY, "99000"))) is None
    assert find_own_counterparty(candidate(tally=resting(Side.SELL, "99000", "hyperliquid:ETH"))) is None
