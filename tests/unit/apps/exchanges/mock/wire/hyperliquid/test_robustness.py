"""Whatever arrives, the venue answers in its own form or with 422; it never breaks and never books nonsense."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import eth_account
import orjson
import pytest
from hyperliquid.utils import signing as sdk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultBook
from apps.exchanges.mock.wire.hyperliquid.actions import Actions
from apps.exchanges.mock.wire.hyperliquid.info import Info
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError
from apps.exchanges.mock.wire.hyperliquid.venue import Venue, WireConfig
from moondev.domain.clock import FixedClock, milliseconds

WALLET = eth_account.Account.from_key("0x" + "11" * 32)
USER = WALLET.address.lower()
NOW = datetime(2026, 1, 5, tzinfo=UTC)
NONCES: Iterator[int] = itertools.count(milliseconds(NOW))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=8),
    st.sampled_from(["49000", "0.1", "0", "-1", "99999999999999999999", "0.000000000000000001", "BTC", USER, "1m"]),
    st.sampled_from(["Gtc", "Ioc", "Alo", "na", "normalTpsl", "positionTpsl", "tp", "sl", "0x" + "ab" * 16]),
)
names = st.sampled_from(
    [
        *("a", "b", "p", "s", "r", "t", "c", "o", "oid", "limit", "tif", "trigger", "isMarket", "triggerPx", "tpsl"),
        *("orders", "cancels", "modifies", "order", "grouping", "asset", "cloid", "leverage", "isCross", "time"),
        *("coin", "user", "req", "interval", "startTime", "endTime", "nSigFigs", "mantissa", "dex", "builder", "f"),
    ]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6), max_leaves=12
)
orders = st.fixed_dictionaries(
    {
        "a": st.integers(-1, 3),
        "b": st.booleans(),
        "p": st.sampled_from(["49000", "51000", "50000", "0", "1", "49000.123456789", "99999999999999999999"]),
        "s": st.sampled_from(["0.1", "0", "0.000001", "1000", "99999999999999999999"]),
        "r": st.booleans(),
        "t": st.sampled_from(
            [
                {"limit": {"tif": "Gtc"}},
                {"limit": {"tif": "Ioc"}},
                {"limit": {"tif": "Alo"}},
                {"trigger": {"isMarket": True, "triggerPx": "48000", "tpsl": "sl"}},
                {"trigger": {"isMarket": False, "triggerPx": "0", "tpsl": "tp"}},
            ]
        ),
    },
    optional={"c": st.integers(0, 3).map(lambda number: f"{number:#034x}")},
)
order_actions = st.fixed_dictionaries(
    {
        "type": st.just("order"),
        "orders": st.lists(orders, max_size=4),
        "grouping": st.sampled_from(["na", "normalTpsl", "positionTpsl"]),
    }
)
kinds = st.sampled_from(
    [
        *("order", "cancel", "cancelByCloid", "modify", "batchModify", "scheduleCancel", "updateLeverage"),
        *("updateIsolatedMargin", "setReferrer", "noop", "vaultTransfer", "createSubAccount", "unheardOf"),
    ]
)
any_actions = st.builds(lambda kind, rest: {**rest, "type": kind}, kinds, st.dictionaries(names, values, max_size=6))
info_requests = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(
        [
            *("meta", "l2Book", "candleSnapshot", "fundingHistory", "clearinghouseState", "openOrders", "orderStatus"),
            *(
                "userFills",
                "userFillsByTime",
                "userFunding",
                "activeAssetData",
                "webData2",
                "recentTrades",
                "portfolio",
            ),
        ]
    ),
    st.dictionaries(names, values, max_size=6) | st.just({"user": USER, "coin": "BTC", "startTime": 0, "oid": 1}),
)


@pytest.fixture
def venue() -> Venue:
    clock = FixedClock(NOW)
    exchange = Exchange([InstrumentSpec("BTC", 0, 5, 40)], clock, {"BTC": Decimal(50_000)})
    venue = Venue(exchange, clock, WireConfig(limits=False), FaultBook())
    venue.open_account(USER, Decimal(100_000))
    house, market = exchange.house(), exchange.house().market("BTC")
    for price, is_buy in ((49_990, True), (50_010, False)):
        units = market.grid.price_units(Decimal(price))
        assert units is not None
        house.quote(market, units, 10**7, is_buy=is_buy)
    return venue


def signed(action: dict[str, Any]) -> dict[str, Any]:
    nonce = next(NONCES)
    signature = sdk.sign_l1_action(WALLET, action, None, nonce, None, False)
    over_the_wire: dict[str, Any] = orjson.loads(
        orjson.dumps({"action": action, "nonce": nonce, "signature": signature})
    )
    return over_the_wire


def speaks_properly(venue: Venue, action: dict[str, Any]) -> None:
    try:
        answer = Actions(venue).handle(signed(action))
    except MalformedError:
        return
    assert answer["status"] in {"ok", "err"}
    orjson.dumps(answer)
    if answer["status"] == "ok" and action["type"] == "order":
        assert len(answer["response"]["data"]["statuses"]) == len(action["orders"])


keep_the_venue = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@keep_the_venue
@given(action=any_actions)
def test_any_signed_action_is_answered(venue: Venue, action: dict[str, Any]) -> None:
    speaks_properly(venue, action)


@keep_the_venue
@given(action=order_actions)
def test_any_batch_of_orders_is_answered_one_by_one_and_the_account_stays_sound(
    venue: Venue, action: dict[str, Any]
) -> None:
    speaks_properly(venue, action)
    state = venue.exchange.account_state(USER)
    assert state.account_value.is_finite()
    assert all(order.remaining > 0 for order in venue.exchange.open_orders(USER))
    for question in ("clearinghouseState", "openOrders", "frontendOpenOrders", "userFills", "historicalOrders"):
        orjson.dumps(Info(venue).answer({"type": question, "user": USER}))


@keep_the_venue
@given(request_body=info_requests)
def test_any_question_is_answered(venue: Venue, request_body: dict[str, Any]) -> None:
    try:
        answer = Info(venue).answer(orjson.loads(orjson.dumps(request_body)))
    except MalformedError:
        return
    orjson.dumps(answer)


@pytest.mark.parametrize("raw", [None, [], "order", 7, {"action": []}, {"action": {"type": 5}}])
def test_what_is_no_envelope_is_malformed(venue: Venue, raw: object) -> None:
    with pytest.raises(MalformedError):
        Actions(venue).handle(raw)
    assert venue.records.actions == {}
