"""What an adapter can do is said once and refused clearly."""

from __future__ import annotations

import pytest

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderType, TimeInForce

ABLE = Capabilities(
    order_types={OrderType.LIMIT: Support.NATIVE, OrderType.STOP: Support.EMULATED},
    times_in_force={TimeInForce.GTC: Support.NATIVE, TimeInForce.FOK: Support.EMULATED},
    amend=Support.EMULATED,
    trigger_amend=Support.REFUSED,
    bracket=Support.EMULATED,
    max_batch=1,
    client_id_bits=128,
    silence_guard=SilenceGuard.NONE,
    hearing=Hearing.POLLING,
)


def test_what_the_platform_emulates_is_asked_of_it_and_not_of_the_venue() -> None:
    ABLE.require(OrderType.STOP, TimeInForce.GTC)
    with pytest.raises(InvalidValue, match="order_type is 'stop'; allowed: limit"):
        ABLE.require_native(OrderType.STOP, TimeInForce.GTC)
    ABLE.require(OrderType.LIMIT, TimeInForce.FOK)
    with pytest.raises(InvalidValue, match="time_in_force is 'fok'; allowed: gtc"):
        ABLE.require_native(OrderType.LIMIT, TimeInForce.FOK)


def test_what_is_not_named_is_refused() -> None:
    assert ABLE.of(OrderType.TRAILING_STOP) is Support.REFUSED
    with pytest.raises(InvalidValue, match="allowed: limit, stop"):
        ABLE.require(OrderType.TRAILING_STOP, TimeInForce.GTC)
    with pytest.raises(InvalidValue, match="allowed: gtc, fok"):
        ABLE.require(OrderType.LIMIT, TimeInForce.IOC)


def test_only_a_limit_order_is_asked_how_long_it_lives() -> None:
    stop = Capabilities(
        order_types={OrderType.STOP: Support.NATIVE},
        times_in_force={},
        amend=Support.REFUSED,
        trigger_amend=Support.REFUSED,
        bracket=Support.REFUSED,
        max_batch=1,
        client_id_bits=128,
        silence_guard=SilenceGuard.NONE,
        hearing=Hearing.WEBSOCKET,
    )
    stop.require_native(OrderType.STOP, TimeInForce.GTC)
