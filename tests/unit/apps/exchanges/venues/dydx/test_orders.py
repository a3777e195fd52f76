"""From our order to the chain's transaction: byte for byte what ccxt would sign, with every input explicit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import ccxt
import msgspec
import pytest
from ccxt.static_dependencies.dydx_v4_client.cosmos.tx.v1beta1.tx_pb2 import TxBody, TxRaw
from ccxt.static_dependencies.dydx_v4_client.dydxprotocol.clob.tx_pb2 import MsgCancelOrder, MsgPlaceOrder

from apps.exchanges.mock.wire.dydx.transactions import read_transaction
from apps.exchanges.venues.dydx import orders, parse_market
from apps.exchanges.venues.dydx.config import CAPABILITIES
from apps.exchanges.venues.dydx.keys import address_of, public_key_of
from apps.exchanges.venues.dydx.messages import MarketMessage
from apps.exchanges.venues.dydx.names import CONDITIONAL, LONG_TERM, SHORT_TERM, ChainName
from moondev.domain.errors import Configuration, InvalidValue, NotSent
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.exchanges.venues.dydx.rows import MARKET

KEY = "11" * 32
ADDRESS = address_of(KEY)
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
MOMENT = orders.Moment(1_000, NOW)
CHAIN = "dydx-testnet-4"
NUMBER, NONCE = 4_294_967_295, 1_767_268_800_000
D = Decimal


def order(kind: OrderType = OrderType.LIMIT, tif: TimeInForce = TimeInForce.GTC, **changes: Any) -> PlaceOrder:
    fields: dict[str, Any] = {
        "client_order_id": uuid4(),
        "instrument": "dydx:BTC-USD",
        "side": Side.BUY,
        "order_type": kind,
        "time_in_force": tif,
        "quantity": Quantity(D("0.01")),
        "price": Price(D(49_000)),
        "purpose": Purpose.OPENING,
        "signal_id": "s",
        "leg": "1",
        "trigger_price": Price(D(48_000)) if kind.triggered else None,
    }
    return PlaceOrder(**(fields | changes))


def placed(wanted: PlaceOrder, seconds: float = 30) -> orders.Wanted:
    market = parse_market.market(msgspec.convert(MARKET, MarketMessage), "dydx")
    name = ChainName(ADDRESS, NUMBER, orders.flags_of(wanted), market.pair)
    return orders.place(wanted, name, market, MOMENT, NOW + timedelta(seconds=seconds))


def ccxt_client() -> Any:
    exchange = ccxt.dydx({"walletAddress": ADDRESS, "options": {"privateKey": KEY, "chainName": CHAIN}})
    info = {name: str(value) if isinstance(value, int) else value for name, value in MARKET.items()}
    exchange.set_markets([exchange.parse_market(info)])
    exchange.milliseconds = lambda: NONCE
    exchange.seconds = lambda: int(NOW.timestamp())
    exchange.options["dydxAccount"] = {"pub_key": {"key": public_key_of(KEY)}, "account_number": "7"}
    return exchange


def ccxt_transaction(exchange: Any, request: dict[str, Any]) -> bytes:
    key = exchange.retrieve_credentials()["privateKey"]
    account = exchange.fetch_dydx_account()
    return bytes.fromhex(exchange.sign_dydx_tx(key, request, "", CHAIN, account, None)[2:])


def test_a_short_term_order_is_signed_as_ccxt_signs_it() -> None:
    wanted = placed(order(tif=TimeInForce.IOC))
    exchange = ccxt_client()
    _, request = exchange.create_order_request(
        "BTC/USDC:USDC", "limit", "buy", 0.01, 49_000,
        {"timeInForce": "IOC", "clientOrderId": NUMBER, "goodTillBlock": 1_004},
    )  # fmt: skip
    # wire.md 1.4: ccxt names a router of its own in every order, who is paid for it.
    assert request["value"]["order"]["orderRouterAddress"].startswith("dydx1")
    request["value"]["order"]["orderRouterAddress"] = ""
    ours = orders.TransactionSigner(KEY, CHAIN).signed(wanted, 7, NONCE)
    assert ours == ccxt_transaction(exchange, request)


def test_the_venue_id_is_the_one_ccxt_works_out() -> None:
    name = ChainName(ADDRESS, NUMBER, LONG_TERM, 3)
    assert name.venue_order_id == ccxt_client().create_order_id_from_parts(ADDRESS, 0, NUMBER, LONG_TERM, 3)


def test_the_signature_is_of_this_chain_account_and_message_only() -> None:
    raw = orders.TransactionSigner(KEY, CHAIN).signed(placed(order()), 7, NONCE)
    transaction = read_transaction(raw)
    transaction.require_signature(7)
    for change in ({"account_number": 8},):
        with pytest.raises(Exception, match="signature verification failed"):
            transaction.require_signature(**change)
    elsewhere = read_transaction(orders.TransactionSigner(KEY, "dydx-elsewhere").signed(placed(order()), 7, NONCE))
    with pytest.raises(Exception, match="signature verification failed"):
        elsewhere.require_signature(7)
    assert transaction.sequence == NONCE


@pytest.mark.parametrize(
    ("kind", "tif", "flags", "sent_tif"),
    [
        (OrderType.MARKET, TimeInForce.IOC, SHORT_TERM, 1),
        (OrderType.LIMIT, TimeInForce.IOC, SHORT_TERM, 1),
        (OrderType.LIMIT, TimeInForce.GTC, LONG_TERM, 0),
        (OrderType.LIMIT, TimeInForce.POST_ONLY, LONG_TERM, 2),
        (OrderType.STOP, TimeInForce.GTC, CONDITIONAL, 1),
        (OrderType.TAKE_PROFIT, TimeInForce.GTC, CONDITIONAL, 1),
    ],
)
def test_an_order_becomes_one_of_three_kinds(kind: OrderType, tif: TimeInForce, flags: int, sent_tif: int) -> None:
    wanted = placed(order(kind, tif))
    message: Any = wanted.message.order
    assert (message.order_id.order_flags, message.time_in_force) == (flags, sent_tif)
    assert message.order_id.client_id == NUMBER
    assert message.client_metadata == (1 if kind is OrderType.MARKET else 0)
    assert (message.quantums, message.subticks) == (100_000_000, 4_900_000_000)
    if flags == CONDITIONAL:
        assert message.conditional_order_trigger_subticks == 4_800_000_000
        assert message.condition_type == (1 if kind is OrderType.STOP else 2)
    if flags == SHORT_TERM:
        assert (message.good_til_block, wanted.order_ends, wanted.last_block) == (1_004, 1_004, 0)
    else:
        # Weeks for the order, a deadline in blocks for the transaction.
        assert message.good_til_block_time > NOW.timestamp() + 28 * 86_400
        assert (wanted.order_ends, wanted.last_block) == (0, 1_030)
        assert TxBody.FromString(TxRaw.FromString(signed(wanted)).body_bytes).timeout_height == 1_030


def signed(wanted: orders.Wanted) -> bytes:
    return orders.TransactionSigner(KEY, CHAIN).signed(wanted, 7, NONCE)


def test_the_same_resting_order_signed_twice_ends_at_the_same_second() -> None:
    # Else the chain would take the second for a replacement of the first.
    wanted = order()
    first, later = placed(wanted), placed(wanted)
    assert first.message.order.good_til_block_time == later.message.order.good_til_block_time


@pytest.mark.parametrize(("seconds", "ends"), [(1, 1_001), (2.9, 1_002), (300, 1_004)])
def test_a_short_term_order_lapses_before_its_request_does(seconds: float, ends: int) -> None:
    assert placed(order(tif=TimeInForce.IOC), seconds).order_ends == ends


@pytest.mark.parametrize("seconds", [0.5, 0, -5])
def test_an_order_that_no_block_can_carry_in_time_is_not_sent(seconds: float) -> None:
    for tif in (TimeInForce.IOC, TimeInForce.GTC):
        with pytest.raises(NotSent):
            placed(order(tif=tif), seconds)


def test_a_stateful_transaction_never_outlives_the_chains_window() -> None:
    assert placed(order(), 3_600).last_block == 1_040


@pytest.mark.parametrize("tif", [TimeInForce.GTC, TimeInForce.POST_ONLY, TimeInForce.IOC])
def test_only_what_cannot_rest_says_that_it_reduces(tif: TimeInForce) -> None:
    message = placed(order(tif=tif, purpose=Purpose.REDUCING)).message
    assert message.order.reduce_only is tif.immediate


@pytest.mark.parametrize(
    ("kind", "tif", "purpose"),
    [
        (OrderType.LIMIT, TimeInForce.FOK, Purpose.OPENING),
        (OrderType.STOP_LIMIT, TimeInForce.GTC, Purpose.PROTECTIVE),
        (OrderType.TAKE_PROFIT_LIMIT, TimeInForce.GTC, Purpose.PROTECTIVE),
    ],
)
def test_what_the_chain_does_not_know_is_refused_before_it_is_signed(
    kind: OrderType, tif: TimeInForce, purpose: Purpose
) -> None:
    with pytest.raises(InvalidValue):
        CAPABILITIES.require_order(order(kind, tif, purpose=purpose))


def test_what_executes_at_once_may_be_reduce_only() -> None:
    for kind in (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT):
        wanted = order(kind, TimeInForce.IOC, purpose=Purpose.PROTECTIVE)
        CAPABILITIES.require_order(wanted)
        assert placed(wanted).message.order.reduce_only


def test_cancels_last_as_long_as_the_chain_allows() -> None:
    # A cancel that ends before its order does nothing, and nobody says so.
    short = orders.cancel(ChainName(ADDRESS, 5, SHORT_TERM, 0), MOMENT)
    assert isinstance(short.message, MsgCancelOrder)
    assert short.message.good_til_block == 1_040
    rests = orders.cancel(ChainName(ADDRESS, 5, LONG_TERM, 0), MOMENT)
    assert rests.message.good_til_block_time > placed(order()).message.order.good_til_block_time
    assert rests.message.good_til_block_time < NOW.timestamp() + 95 * 86_400


def test_no_key_is_shown_and_what_is_none_is_refused() -> None:
    signer = orders.TransactionSigner(KEY, CHAIN)
    assert KEY not in repr(signer)
    assert signer.address == ADDRESS
    assert signer.public_key == public_key_of(KEY)
    with pytest.raises(Configuration) as refused:
        orders.TransactionSigner("22" * 31, CHAIN)
    assert "22" * 31 not in str(refused.value)


def test_messages_are_the_chains_own() -> None:
    message = placed(order()).message
    assert isinstance(message, MsgPlaceOrder)
    assert MsgPlaceOrder.FromString(message.SerializeToString()) == message
