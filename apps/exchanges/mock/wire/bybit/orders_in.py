"""From the fields of order/create to orders of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import Grouping, InstrumentSpec, NewOrder, Tif, TpSl, Trigger
from apps.exchanges.mock.wire.bybit.facts import OrderFacts
from apps.exchanges.mock.wire.bybit.fields import amount, flag, optional_text, text
from apps.exchanges.mock.wire.bybit.refusals import PARAMETER, RefusedError
from apps.exchanges.mock.wire.bybit.words import SELF_TRADES, TIFS, trigger_kind
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.worst_price import worst_price

LONGEST_LINK_ID = 36


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request: the order first, then the stops attached to it, each with its facts. `rising` is its trigger's."""

    orders: tuple[tuple[NewOrder, OrderFacts], ...]
    rising: bool | None

    @property
    def grouping(self) -> Grouping:
        """Return how the orders belong together."""
        return Grouping.NORMAL_TPSL if len(self.orders) > 1 else Grouping.NA


def read_order(body: Json, spec: InstrumentSpec, mark: Decimal) -> Wanted:
    """Return what order/create asks for. Raises RefusedError."""
    is_buy = _side(body)
    market = text(body, "orderType") == "Market"
    if not market and text(body, "orderType") != "Limit":
        raise RefusedError(PARAMETER, "params error: orderType invalid")
    size = amount(body, "qty")
    if size is None:
        raise RefusedError(PARAMETER, "Qty invalid")
    if body.get("positionIdx") not in (None, 0, "0", ""):
        raise RefusedError(PARAMETER, "position idx not match position mode")
    trigger, rising = _trigger(body, market=market, is_buy=is_buy)
    price = _any_price(spec, mark, trigger, is_buy=is_buy) if market else amount(body, "price")
    if price is None:
        raise RefusedError(PARAMETER, "params error: price is required")
    tif = optional_text(body, "timeInForce") or ("IOC" if market else "GTC")
    if tif not in TIFS:
        raise RefusedError(PARAMETER, "params error: timeInForce invalid")
    # Resting in the book is nothing a market order could do, whatever its time in force says.
    engine_tif = Tif.FRONTEND_MARKET if market else TIFS[tif]
    smp_type = optional_text(body, "smpType") or "None"
    if smp_type not in SELF_TRADES:
        raise RefusedError(PARAMETER, "params error: smpType invalid")
    order = NewOrder(
        spec.coin,
        is_buy,
        size,
        price,
        engine_tif,
        flag(body, "reduceOnly"),
        trigger,
        _link_id(body) or None,
        self_trade=SELF_TRADES[smp_type],
    )
    take, stop = optional_text(body, "takeProfit"), optional_text(body, "stopLoss")
    facts = OrderFacts(
        market,
        "IOC" if market else tif,
        stop_type="" if trigger is None else "Stop",
        tpsl_mode="Full" if take or stop else "",
        smp_type=smp_type,
        take_profit=take,
        stop_loss=stop,
    )
    return Wanted(((order, facts), *_attached(body, order, spec)), rising)


def _any_price(spec: InstrumentSpec, mark: Decimal, trigger: Trigger | None, *, is_buy: bool) -> Decimal:
    """Return a limit for an order to the market: beyond the mark, and beyond its trigger."""
    levels = [mark] if trigger is None else [mark, trigger.trigger_px]
    return worst_price(spec, max(levels) if is_buy else min(levels), is_buy=is_buy)


def _attached(body: Json, order: NewOrder, spec: InstrumentSpec) -> tuple[tuple[NewOrder, OrderFacts], ...]:
    """Return the take-profit and the stop-loss that come with an order: they leave what it enters."""
    legs = []
    for field, kind, word in (("takeProfit", TpSl.TP, "TakeProfit"), ("stopLoss", TpSl.SL, "StopLoss")):
        level = amount(body, field)
        if level is None:
            continue
        price = worst_price(spec, level, is_buy=not order.is_buy)
        leg = NewOrder(
            spec.coin,
            not order.is_buy,
            order.size,
            price,
            reduce_only=True,
            trigger=Trigger(is_market=True, trigger_px=level, tpsl=kind),
        )
        legs.append((leg, OrderFacts(market=True, tif="IOC", stop_type=word, tpsl_mode="Full")))
    return tuple(legs)


def _trigger(body: Json, *, market: bool, is_buy: bool) -> tuple[Trigger | None, bool | None]:
    level = amount(body, "triggerPrice")
    if level is None:
        return None, None
    rising = optional_text(body, "triggerDirection")
    if rising not in {"1", "2"}:
        raise RefusedError(PARAMETER, "params error: triggerDirection invalid")
    if optional_text(body, "triggerBy") not in {"", "LastPrice", "IndexPrice", "MarkPrice"}:
        raise RefusedError(PARAMETER, "params error: triggerBy invalid")
    kind = trigger_kind(int(rising), is_buy=is_buy)
    return Trigger(is_market=market, trigger_px=level, tpsl=kind), rising == "1"


def _side(body: Json) -> bool:
    side = text(body, "side")
    if side not in {"Buy", "Sell"}:
        raise RefusedError(PARAMETER, "Side invalid")
    return side == "Buy"


def _link_id(body: Json) -> str:
    link = optional_text(body, "orderLinkId")
    if len(link) > LONGEST_LINK_ID:
        raise RefusedError(PARAMETER, f"orderLinkId too long: at most {LONGEST_LINK_ID} characters")
    return link
