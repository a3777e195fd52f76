"""Whatever arrives, the venue answers in its own form or with 422; it never breaks and never books nonsense."""

from __future__ import annotations

import contextlib
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
from apps.exchanges.mock.wire.hyperliquid.account_actions import AccountActions
from apps.exchanges.mock.wire.hyperliquid.actions import Actions
from apps.exchanges.mock.wire.hyperliquid.info import Info
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError
from apps.exchanges.mock.wire.hyperliquid.replies import RefusedError
from apps.exchanges.mock.wire.hyperliquid.transfers import Transfers
from apps.exchanges.mock.wire.hyperliquid.venue import Venue, WireConfig
from moondev.domain.clock import FixedClock, milliseconds

WALLET = eth_account.Account.from_key("0x" + "11" * 32)
USER = WALLET.address.lower()
OTHER = "0x" + "cd" * 20
NOW = datetime(2026, 1, 5, tzinfo=UTC)
NONCES: Iterator[int] = itertools.count(milliseconds(NOW))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=8),
    st.sampled_from(["49000", "0.1", "0", "-1", "99999999999999999999", "0.000000000000000001", "BTC", USER, "1m"]),
    st.sampled_from(["", "spot", "USDC:0x" + "0" * 32, "UBTC:0x" + f"{1:032x}", "0.01%", "0.0000001", OTHER]),
    st.sampled_from(["Gtc", "Ioc", "Alo", "na", "normalTpsl", "positionTpsl", "tp", "sl", "0x" + "ab" * 16]),
)
names = st.sampled_from(
    [
        *("a", "b", "p", "s", "r", "t", "c", "o", "oid", "limit", "tif", "trigger", "isMarket", "triggerPx", "tpsl"),
        *("orders", "cancels", "modifies", "order", "grouping", "asset", "cloid", "leverage", "isCross", "time"),
        *("amount", "toPerp", "destination", "token", "sourceDex", "destinationDex", "fromSubAccount", "maxFeeRate"),
        *(
            "ntli",
            "isBuy",
            "b",
            "coin",
            "user",
            "req",
            "interval",
            "startTime",
            "endTime",
            "nSigFigs",
            "mantissa",
            "dex",
            "builder",
            "f",
        ),
    ]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6), max_leaves=12
)
orders = st.fixed_dictionaries(
    {
        "a": st.sampled_from([-1, 0, 1, 10_000, 10_001]),
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
            *(
                "spotMeta",
                "spotMetaAndAssetCtxs",
                "spotClearinghouseState",
                "maxBuilderFee",
                "userNonFundingLedgerUpdates",
            ),
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
    specs = [InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("@0", 10_000, 5, 1, base="UBTC")]
    exchange = Exchange(specs, clock, {"BTC": Decimal(50_000), "@0": Decimal(50_000)})
    venue = Venue(exchange, clock, WireConfig(limits=False), FaultBook())
    venue.open_account(USER, Decimal(100_000))
    for asset, amount in (("USDC", 20_000), ("UBTC", 1)):
        exchange.deposit_asset(USER, asset, Decimal(amount))
    house = exchange.house()
    for market in house.markets():
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
    for question in (
        "spotClearinghouseState",
        "clearinghouseState",
        "openOrders",
        "frontendOpenOrders",
        "userFills",
        "historicalOrders",
    ):
        orjson.dumps(Info(venue).answer({"type": question, "user": USER}))


transfers = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["usdClassTransfer", "usdSend", "spotSend", "sendAsset", "approveBuilderFee"]),
        "amount": st.sampled_from(["5", "0", "-1", "99999999", "0.0000001", "NaN", 5]),
        "toPerp": st.booleans(),
        "destination": st.sampled_from([USER, OTHER, "0x12"]),
        "token": st.sampled_from(["USDC:0x" + "0" * 32, "UBTC:0x" + f"{1:032x}", "UBTC", "DOGE:0x0"]),
        "sourceDex": st.sampled_from(["", "spot", "flx"]),
        "destinationDex": st.sampled_from(["", "spot", "flx"]),
        "fromSubAccount": st.sampled_from(["", OTHER]),
        "maxFeeRate": st.sampled_from(["0.01%", "50%", "x"]),
        "builder": st.sampled_from([OTHER, "nobody"]),
    }
)


@keep_the_venue
@given(action=transfers)
def test_any_transfer_is_answered_and_no_money_is_made_or_lost(venue: Venue, action: dict[str, Any]) -> None:
    held = total(venue)
    handlers = {**AccountActions(venue).handlers, **Transfers(venue).handlers}
    with contextlib.suppress(RefusedError, MalformedError):
        assert handlers[action["type"]](USER, action)["status"] == "ok"
    assert total(venue) == held


def total(venue: Venue) -> dict[str, Decimal]:
    """Return what all people have, margin and spot together."""
    sums: dict[str, Decimal] = {"USDC": Decimal(0)}
    for address in venue.exchange.addresses():
        sums["USDC"] += venue.exchange.account_state(address).cash
        for state in venue.exchange.balances(address):
            sums[state.asset] = sums.get(state.asset, Decimal(0)) + state.total
            assert 0 <= state.held <= state.total
    return sums


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
