"""A strategy that asks for something impossible, raises, never returns or talks nonsense fails alone and says why."""

import pytest

from apps.strategies.models import StrategyRow
from moondev.domain.orders import OrderStatus

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("raises", "ZeroDivisionError: nothing to divide by"),
        ("hangs", "decide did not return within 1 s"),
        ("exits", "SystemExit: 1"),
        ("nonsense", "decision is 'dict'; allowed: a Decision"),
        ("bad_state", "state is"),
        ("foreign", "instrument is 'hyperliquid:DOGE'; allowed: one of hyperliquid:BTC"),
        ("nan", "weight is nan; allowed: a number from -1 to 1"),
        ("nan_price", "price is"),
        ("below_zero", "price is"),
    ],
)
def test_its_tick_fails_with_the_reason_and_an_event_and_the_next_strategy_trades(neighbours, behaviour, message):
    both = neighbours(behaviour)
    tick = both.tick()
    assert tick.status == "failed"
    assert message in tick.error
    assert message in both.events()
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()


@pytest.mark.parametrize(
    ("behaviour", "code"), [("too_much", "NOTIONAL_EXCEEDS_MAXIMUM"), ("far_off", "PRICE_OUTSIDE_BAND")]
)
def test_an_order_beyond_its_limits_is_refused_with_a_code_and_the_numbers(neighbours, behaviour, code):
    both = neighbours(behaviour)
    tick = both.tick()
    (refused,) = both.bad.trader.orders()
    assert (tick.status, tick.placed, tick.refused) == ("done", 0, 1)
    assert refused.status == OrderStatus.REFUSED
    assert code in refused.refusal_code
    assert refused.refusal_limit
    assert refused.refusal_value
    assert tick.report["refusals"][0]["code"] == refused.refusal_code
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()


def test_a_size_below_the_lot_is_not_sent_and_the_report_says_so(neighbours):
    both = neighbours("dust")
    tick = both.tick()
    assert (tick.status, tick.placed) == ("done", 0)
    assert any("lot" in note or "minimum" in note for note in tick.report["notes"]), tick.report
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"behaviour": "target", "weigth": 1}, "weigth"),
        ({"behaviour": "target", "weight": "heavy"}, "weight is 'heavy'; allowed: a number"),
        ({"behaviour": "target", "tag": 1.5}, "tag is 1.5; allowed: a whole number"),
    ],
)
def test_parameters_that_do_not_fit_fail_the_tick_with_the_field_the_value_and_what_is_allowed(
    neighbours, parameters, message
):
    both = neighbours("target")
    StrategyRow.objects.filter(pk=both.bad.pk).update(parameters=parameters)
    tick = both.tick()
    assert tick.status == "failed"
    assert message in tick.error
    assert message in both.events()
    both.assert_nothing_was_sent()
    both.assert_the_other_traded()
