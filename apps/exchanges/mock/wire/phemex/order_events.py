"""What happens to orders, as rows of the private channel: who placed, filled, changed or ended what."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill, OrderSnapshot, OrderStatus
from apps.exchanges.mock.wire.phemex.facts import REMEMBERED, OrderFacts
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.phemex.views_orders import fill_word, leaves_of, price_of, rate_of
from apps.exchanges.mock.wire.phemex.words import (
    LATE,
    NO_EXECUTION,
    NS_PER_MS,
    QUOTE,
    TIF_WORDS,
    acted_by,
    execution_id,
    execution_word,
    order_id,
    plain,
    side_word,
    status_word,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

_ZERO = Decimal(0)
_ENDED = (OrderStatus.CANCELED, OrderStatus.REJECTED)
# What was last told of an order, as far as it can change while the order lives.
_Told = tuple[Decimal, Decimal, Decimal]


class OrderEvents:
    """Makes one row of each event; a fill and the state after it are one event here."""

    def __init__(self, venue: Venue) -> None:
        """Speak of orders at `venue`."""
        self._venue = venue
        self._told: OrderedDict[int, _Told] = OrderedDict()

    def of_order(self, account: str, order: OrderSnapshot, time_ms: int) -> Json | None:
        """Return the row of a change of `order`; None when the row of a fill has told of it already."""
        if order.status is OrderStatus.FILLED:
            return None
        told = self._told.get(order.oid)
        now = _shape(order)
        if order.status is OrderStatus.OPEN:
            if told == now or (told is None and order.filled):
                self._note(order.oid, now)
                return None
            self._note(order.oid, now)
        row = self._row(account, order, self._venue.facts.of(order.oid), time_ms)
        action = "Cancel" if order.status is OrderStatus.CANCELED else "Replace" if told is not None else "New"
        status = execution_word(order)
        if action == "Replace" and status == "New":
            status = "Replaced"
        elif order.status is OrderStatus.TRIGGERED:
            status = "Triggered"
        # A cancelled order's rest stands where executions stand: only the status tells them apart.
        rest = order.remaining if order.status in _ENDED else _ZERO
        said = {"action": action, "actionBy": acted_by(order), "execStatus": status, "execQty": plain(rest)}
        return {**row, **said, "cxlRejReason": LATE.get(order.reason, 0)}

    def of_fill(self, account: str, fill: Fill, order: OrderSnapshot | None, facts: OrderFacts) -> Json:
        """Return the row of one execution, with the order as it stood right after it."""
        sums = self._venue.sums.of(fill.oid)
        size = fill.size if order is None else order.size
        left = max(_ZERO, size - sums.size)
        if order is not None:
            self._note(fill.oid, _shape(order))
        base = {} if order is None else self._row(account, order, facts, fill.time_ms)
        return {
            **base,
            **self._owner(account),
            "action": "LiqRequest" if fill.liquidation else "New",
            "actionBy": "ByLiquidation" if fill.liquidation else "ByUser",
            "tradeType": "LiqTrade" if fill.liquidation else "Trade",
            "symbol": symbol_of(fill.coin),
            "side": side_word(is_buy=fill.is_buy),
            "orderID": order_id(fill.oid),
            "clOrdID": fill.cloid or "",
            "execID": execution_id(fill.tid, fill.oid),
            "execStatus": fill_word(fill),
            "execQty": plain(fill.size),
            "execPriceRp": plain(fill.price),
            "execValueRv": plain(fill.size * fill.price),
            "execFeeRv": plain(fill.fee),
            "feeRateRr": rate_of(fill),
            "lastLiquidityInd": "RemovedLiquidity" if fill.crossed else "AddedLiquidity",
            "closedPnlRv": plain(fill.closed_pnl),
            "curPosSize": plain(abs(fill.end_position)),
            "curPosSide": "None" if not fill.end_position else side_word(is_buy=fill.end_position > 0),
            "cumQty": plain(sums.size),
            "cumValueRv": plain(sums.value),
            "cumFeeRv": plain(sums.fee),
            "leavesQty": plain(left),
            "leavesValueRv": plain(left * (fill.price if order is None else order.price)),
            "ordStatus": "PartiallyFilled" if left else "Filled",
            "transactTimeNs": fill.time_ms * NS_PER_MS,
        }

    def standing(self, account: str, order: OrderSnapshot) -> Json:
        """Return the row of an order as it stands."""
        self._note(order.oid, _shape(order))
        return self._row(account, order, self._venue.facts.of(order.oid), order.status_ms or order.placed_ms)

    def _note(self, oid: int, told: _Told) -> None:
        self._told[oid] = told
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _owner(self, account: str) -> Json:
        return {"accountID": self._venue.account_id(account), "userID": self._venue.user_id(account)}

    def _row(self, account: str, order: OrderSnapshot, facts: OrderFacts, time_ms: int) -> Json:
        sums, leaves = self._venue.sums.of(order.oid), leaves_of(order)
        number = self._venue.next_sequence()
        return {
            **self._owner(account),
            "action": "New",
            "actionBy": "ByUser",
            "actionTimeNs": order.placed_ms * NS_PER_MS,
            "addedSeq": number,
            "bonusChangedAmountRv": "0",
            "clOrdID": order.cloid or "",
            "cl_req_code": 0,
            "closedPnlRv": "0",
            "closedSize": "0",
            "code": 0,
            "cumFeeRv": plain(sums.fee),
            "cumPtFeeRv": "0",
            "cumQty": plain(sums.size),
            "cumValueRv": plain(sums.value),
            "curAccBalanceRv": "0",
            "curAssignedPosBalanceRv": "0",
            "curBonusBalanceRv": "0",
            "curLeverageRr": str(-self._venue.exchange.leverage(account, order.coin)),
            "curPosSide": "None",
            "curPosSize": "0",
            "curPosTerm": 1,
            "curPosValueRv": "0",
            "curRiskLimitRv": "2000000",
            "currency": QUOTE,
            "cxlRejReason": 0,
            "displayQty": plain(leaves),
            "execFeeRv": "0",
            "execID": NO_EXECUTION,
            "execInst": "ReduceOnly" if order.reduce_only else "None",
            "execPriceRp": "0",
            "execQty": "0",
            "execSeq": number,
            "execStatus": execution_word(order),
            "execValueRv": "0",
            "feeRateRr": "0",
            "leavesQty": plain(leaves),
            "leavesValueRv": plain(leaves * order.price),
            "message": "No error",
            "ordStatus": status_word(order),
            "ordType": facts.order_type,
            "orderID": order_id(order.oid),
            "orderQty": plain(order.size),
            "pegOffsetProportionRr": "0",
            "pegOffsetValueRp": "0",
            "posSide": "Merged",
            "priceRp": plain(price_of(order, facts)),
            "ptFeeRv": "0",
            "ptPriceRp": "0",
            "relatedPosTerm": 1,
            "relatedReqNum": order.oid,
            "side": side_word(is_buy=order.is_buy),
            "slPxRp": "0",
            "slTrigger": "ByMarkPrice",
            "stopLossRp": facts.stop_loss,
            "stopPxRp": "0" if order.trigger is None else plain(order.trigger.trigger_px),
            "symbol": symbol_of(order.coin),
            "takeProfitRp": facts.take_profit,
            "timeInForce": facts.tif or TIF_WORDS[order.tif],
            "tpPxRp": "0",
            "tpTrigger": "ByLastPrice",
            "tradeType": "Amend",
            "transactTimeNs": time_ms * NS_PER_MS,
        }


def _shape(order: OrderSnapshot) -> _Told:
    level = _ZERO if order.trigger is None else order.trigger.trigger_px
    return order.price, order.size, level
