"""From the fields of a new order to orders of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from apps.exchanges.mock.engine.api import Grouping, InstrumentSpec, NewOrder, SelfTrade, Tif, TpSl, Trigger
from apps.exchanges.mock.wire.phemex.facts import OrderFacts
from apps.exchanges.mock.wire.phemex.fields import amount, flag, optional_text, text
from apps.exchanges.mock.wire.phemex.refusals import (
    ARGUMENTS,
    SIDE_INVALID,
    TIF_INVALID,
    TRIGGER_INVALID,
    TYPE_INVALID,
    RefusedError,
)
from apps.exchanges.mock.wire.phemex.words import TIFS, TRIGGERS, plain
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.worst_price import worst_price

LONGEST_CLIENT_ID = 40
_POSITION_MODE = 20_004
_AT_MARKET = frozenset({"Market", "Stop", "MarketIfTouched"})
_KINDS: Mapping[str, TpSl | None] = MappingProxyType(
    {
        "Market": None,
        "Limit": None,
        "Stop": TpSl.SL,
        "StopLimit": TpSl.SL,
        "MarketIfTouched": TpSl.TP,
        "LimitIfTouched": TpSl.TP,
    }
)


# Without an instruction an account may trade with itself; the group that the venue wants besides counts as granted.
_SELF_TRADES: Mapping[str, SelfTrade] = MappingProxyType(
    {
        "": SelfTrade.ALLOW,
        "None": SelfTrade.ALLOW,
        "CancelMaker": SelfTrade.CANCEL_MAKER,
        "CancelTaker": SelfTrade.CANCEL_TAKER,
        "CancelBoth": SelfTrade.CANCEL_BOTH,
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request: the order first, then the stops attached to it, each with its facts."""

    orders: tuple[tuple[NewOrder, OrderFacts], ...]

    @property
    def grouping(self) -> Grouping:
        """Return how the orders belong together."""
        return Grouping.NORMAL_TPSL if len(self.orders) > 1 else Grouping.NA

    @property
    def rising(self) -> bool:
        """Return whether the order waits for a rising price."""
        order = self.orders[0][0]
        return order.trigger is not None and (order.trigger.tpsl is TpSl.SL) == order.is_buy


def read_order(fields: Json, spec: InstrumentSpec, mark: Decimal) -> Wanted:
    """Return what a request for a new order asks for. Raises RefusedError."""
    is_buy = _side(fields)
    order_type = optional_text(fields, "ordType") or "Limit"
    if order_type not in _KINDS:
        raise RefusedError(TYPE_INVALID)
    if text(fields, "posSide") != "Merged":
        raise RefusedError(_POSITION_MODE, "TE_ERR_INCONSISTENT_POS_MODE")
    size = amount(fields, "orderQtyRq") or Decimal(0)
    trigger, source = _trigger(fields, order_type)
    at_market = order_type in _AT_MARKET
    # Where the book stands when a trigger fires is not known yet: anywhere between here and there.
    levels = [mark] if trigger is None else [mark, trigger.trigger_px]
    reference = max(levels) if is_buy else min(levels)
    price = worst_price(spec, reference, is_buy=is_buy) if at_market else amount(fields, "priceRp")
    if price is None:
        raise RefusedError(ARGUMENTS, "Please double check input arguments: priceRp")
    tif = "ImmediateOrCancel" if at_market else optional_text(fields, "timeInForce") or "GoodTillCancel"
    # A raw postOnly is a field this venue has never heard of: only the time in force makes an order a maker.
    if tif not in TIFS:
        raise RefusedError(TIF_INVALID)
    engine_tif = Tif.FRONTEND_MARKET if at_market else TIFS[tif]
    reduce_only = flag(fields, "reduceOnly") or flag(fields, "closeOnTrigger")
    names = (_client_id(fields) or None, _self_trade(fields))
    order = NewOrder(spec.coin, is_buy, size, price, engine_tif, reduce_only, trigger, *names)
    take, stop = amount(fields, "takeProfitRp"), amount(fields, "stopLossRp")
    facts = OrderFacts(order_type, tif, source, plain(take or Decimal(0)), plain(stop or Decimal(0)))
    return Wanted(((order, facts), *_attached(fields, order, spec)))


def _attached(fields: Json, order: NewOrder, spec: InstrumentSpec) -> tuple[tuple[NewOrder, OrderFacts], ...]:
    """Return the take-profit and the stop-loss that come with an order: they leave what it enters."""
    legs = []
    for name, kind, word in (("takeProfitRp", TpSl.TP, "MarketIfTouched"), ("stopLossRp", TpSl.SL, "Stop")):
        level = amount(fields, name)
        if level is None:
            continue
        trigger = Trigger(is_market=True, trigger_px=level, tpsl=kind)
        price = worst_price(spec, level, is_buy=not order.is_buy)
        leg = NewOrder(spec.coin, not order.is_buy, order.size, price, reduce_only=True, trigger=trigger)
        legs.append((leg, OrderFacts(word, "ImmediateOrCancel", "ByMarkPrice")))
    return tuple(legs)


def _trigger(fields: Json, order_type: str) -> tuple[Trigger | None, str]:
    kind = _KINDS[order_type]
    if kind is None:
        return None, "UNSPECIFIED"
    level, source = amount(fields, "stopPxRp"), optional_text(fields, "triggerType") or "ByLastPrice"
    if level is None or source not in TRIGGERS:
        raise RefusedError(TRIGGER_INVALID)
    return Trigger(is_market=order_type in _AT_MARKET, trigger_px=level, tpsl=kind), source


def _self_trade(fields: Json) -> SelfTrade:
    word = optional_text(fields, "stpInstruction")
    if word not in _SELF_TRADES:
        raise RefusedError(ARGUMENTS, "Please double check input arguments: stpInstruction")
    return _SELF_TRADES[word]


def _side(fields: Json) -> bool:
    side = text(fields, "side")
    if side not in {"Buy", "Sell"}:
        raise RefusedError(SIDE_INVALID)
    return side == "Buy"


def _client_id(fields: Json) -> str:
    name = optional_text(fields, "clOrdID")
    if len(name) > LONGEST_CLIENT_ID:
        raise RefusedError(ARGUMENTS, f"clOrdID is longer than {LONGEST_CLIENT_ID} characters")
    return name
