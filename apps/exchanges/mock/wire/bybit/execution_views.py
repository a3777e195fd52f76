"""Fills and funding payments as Bybit's rows: of the list of executions, and of the transaction log."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    Fill,
    FundingPayment,
    OrderSnapshot,
)
from apps.exchanges.mock.wire.bybit.facts import OrderFacts
from apps.exchanges.mock.wire.bybit.words import (
    CATEGORY,
    QUOTE,
    execution_id,
    funding_id,
    order_id,
    plain,
    side_word,
    symbol_of,
)
from apps.exchanges.mock.wire.port import Json

_CENT, _RATE = Decimal("0.00000001"), Decimal("0.0000000001")
_UNSAID_OF_FUNDING = (
    "orderLinkId",
    "createType",
    "tradeIv",
    "markIv",
    "indexPrice",
    "underlyingPrice",
    "blockTradeId",
)


def execution(fill: Fill, facts: OrderFacts, snapshot: OrderSnapshot | None, mark: Decimal) -> Json:
    """Return a fill as execution/list and the stream tell it."""
    value = fill.size * fill.price
    closed = (
        min(abs(fill.start_position), fill.size)
        if fill.start_position * fill.end_position <= 0 or (abs(fill.end_position) < abs(fill.start_position))
        else Decimal(0)
    )
    return {
        "symbol": symbol_of(fill.coin),
        "orderId": order_id(fill.oid),
        "orderLinkId": fill.cloid or "",
        "side": side_word(is_buy=fill.is_buy),
        "orderPrice": "0" if snapshot is None or facts.market else plain(snapshot.price),
        "orderQty": plain(fill.size if snapshot is None else snapshot.size),
        "leavesQty": "0" if snapshot is None else plain(snapshot.remaining),
        "createType": facts.create_type,
        "orderType": "Market" if facts.market else "Limit",
        "stopOrderType": facts.stop_type or "UNKNOWN",
        "execFee": plain(fill.fee),
        "execId": execution_id(fill.tid, fill.oid),
        "execPrice": plain(fill.price),
        "execQty": plain(fill.size),
        "execType": "BustTrade" if fill.liquidation else "Trade",
        "execValue": plain(value),
        "execTime": str(fill.time_ms),
        "feeCurrency": QUOTE,
        "isMaker": not fill.crossed,
        "feeRate": _fee_rate(fill),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": plain(closed),
        "seq": fill.tid,
    }


def funding_execution(payment: FundingPayment, mark: Decimal) -> Json:
    """Return a funding payment as execution/list and the stream tell it.

    `side` is the position's, `execFee` above zero when the account paid, and `feeRate` the rate as that side sees it:
    the market's for a long position, its opposite for a short one.
    """
    size = abs(payment.position)
    row = dict.fromkeys(_UNSAID_OF_FUNDING, "")
    return row | {
        "symbol": symbol_of(payment.coin),
        "orderId": funding_id(payment, "order"),
        "side": side_word(is_buy=payment.position > 0),
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": plain(payment.paid),
        "execId": funding_id(payment, "execution"),
        "execPrice": plain(mark),
        "execQty": plain(size),
        "execType": "Funding",
        "execValue": plain(size * mark),
        "execTime": str(payment.time_ms),
        "feeCurrency": QUOTE,
        "isMaker": False,
        "feeRate": _rate_for(payment),
        "markPrice": plain(mark),
        "closedSize": "0",
        "seq": payment.time_ms,
    }


def traded(fill: Fill) -> Json:
    """Return a fill as a row of the transaction log; `change` is what it did to the wallet."""
    return _log_row(fill.coin, "TRADE", f"{fill.tid}_{fill.oid}", fill.time_ms) | {
        "side": side_word(is_buy=fill.is_buy),
        "orderId": order_id(fill.oid),
        "orderLinkId": fill.cloid or "",
        "fee": plain(fill.fee),
        "cashFlow": plain(fill.closed_pnl),
        "change": plain(fill.closed_pnl - fill.fee),
        "feeRate": _fee_rate(fill),
        "size": plain(fill.end_position),
        "qty": plain(fill.size),
        "tradePrice": plain(fill.price),
        "tradeId": execution_id(fill.tid, fill.oid),
    }


def settlement(payment: FundingPayment) -> Json:
    """Return a funding payment as a row of the transaction log; `funding` is positive when received."""
    received = plain(-payment.paid)
    return _log_row(payment.coin, "SETTLEMENT", funding_id(payment, "log"), payment.time_ms) | {
        "side": side_word(is_buy=payment.position > 0),
        "funding": received,
        "change": received,
        "feeRate": _rate_for(payment),
        "size": plain(payment.position),
        "qty": plain(abs(payment.position)),
    }


def _log_row(coin: str, kind: str, name: str, time_ms: int) -> Json:
    return {
        "id": name,
        "symbol": symbol_of(coin),
        "side": "None",
        "funding": "",
        "orderLinkId": "",
        "orderId": "",
        "fee": "0",
        "change": "0",
        "cashFlow": "0",
        "transactionTime": str(time_ms),
        "type": kind,
        "feeRate": "",
        "bonusChange": "",
        "size": "0",
        "qty": "0",
        "cashBalance": "",
        "currency": QUOTE,
        "category": CATEGORY,
        "tradePrice": "",
        "tradeId": "",
    }


def _fee_rate(fill: Fill) -> str:
    value = fill.size * fill.price
    return plain((fill.fee / value).quantize(_CENT)) if value else "0"


def _rate_for(payment: FundingPayment) -> str:
    return plain((payment.rate if payment.position > 0 else -payment.rate).quantize(_RATE))
