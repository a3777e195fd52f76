"""The engine's things as Bybit's rows: numbers as text, times as text in milliseconds."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    AccountState,
    AssetContext,
    Candle,
    Fill,
    FundingPayment,
    InstrumentSpec,
    LevelView,
    OrderSnapshot,
    OrderStatus,
    PositionState,
    Trade,
)
from apps.exchanges.mock.engine.grid import decimal_of
from apps.exchanges.mock.wire.bybit.facts import OrderFacts
from apps.exchanges.mock.wire.bybit.words import (
    CATEGORY,
    INTERVAL_WORDS,
    QUOTE,
    TIF_WORDS,
    cancel_type,
    direction,
    execution_id,
    funding_id,
    order_id,
    reject_reason,
    side_word,
    status_word,
    symbol_of,
)
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.port import Json

HOUR_MS = 3_600_000
_MMR = Decimal(2)
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


def plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    return f"{number.normalize():f}" if number else "0"


def instrument(spec: InstrumentSpec) -> Json:
    """Return a row of instruments-info."""
    tick = spec.tick or decimal_of(1, spec.price_max_decimals)
    lot = plain(spec.lot)
    return {
        "symbol": symbol_of(spec.coin),
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": spec.coin,
        "quoteCoin": QUOTE,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(max(0, -int(tick.normalize().as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": f"{spec.max_leverage}.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": plain(tick), "maxPrice": "1999999.8", "tickSize": plain(tick)},
        "lotSizeFilter": {
            "maxOrderQty": "100000.000",
            "minOrderQty": lot,
            "qtyStep": lot,
            "postOnlyMaxOrderQty": "100000.000",
            "maxMktOrderQty": "100000.000",
            "minNotionalValue": plain(spec.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 60,
        "settleCoin": QUOTE,
        "copyTrading": "none",
        "upperFundingRate": "0.04",
        "lowerFundingRate": "-0.04",
        "isPreListing": False,
        "preListingInfo": None,
    }


def ticker(context: AssetContext, last: Trade | None, bid: LevelView | None, ask: LevelView | None, now: int) -> Json:
    """Return a row of tickers."""
    price = context.mark if last is None else last.price
    before = context.prev_day_px
    change = (price / before - 1).quantize(Decimal("0.000001")) if before else Decimal(0)
    return {
        "symbol": symbol_of(context.coin),
        "tickDirection": "PlusTick",
        "lastPrice": plain(price),
        "indexPrice": plain(context.oracle),
        "markPrice": plain(context.mark),
        "prevPrice24h": plain(before),
        "price24hPcnt": plain(change),
        "highPrice24h": plain(max(price, before)),
        "lowPrice24h": plain(min(price, before)),
        "prevPrice1h": plain(before),
        "openInterest": plain(context.open_interest),
        "openInterestValue": plain((context.open_interest * context.mark).quantize(_CENT)),
        "turnover24h": plain(context.day_notional_volume),
        "volume24h": plain(context.day_base_volume),
        "fundingRate": plain(context.funding.quantize(_CENT)),
        "nextFundingTime": str((now // HOUR_MS + 1) * HOUR_MS),
        "fundingIntervalHour": "1",
        "bid1Price": "" if bid is None else plain(bid.price),
        "bid1Size": "" if bid is None else plain(bid.size),
        "ask1Price": "" if ask is None else plain(ask.price),
        "ask1Size": "" if ask is None else plain(ask.size),
    }


def kline(candle: Candle) -> list[str]:
    """Return a row of the kline answer."""
    turnover = (candle.close * candle.volume).quantize(_CENT)
    numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume, turnover)
    return [str(candle.open_ms), *map(plain, numbers)]


def kline_event(candle: Candle, now: int, *, confirm: bool) -> Json:
    """Return a bar as the stream sends it."""
    _, opened, high, low, close, volume, turnover = kline(candle)
    return {
        "start": candle.open_ms,
        "end": candle.close_ms,
        "interval": INTERVAL_WORDS[candle.interval],
        "open": opened,
        "close": close,
        "high": high,
        "low": low,
        "volume": volume,
        "turnover": turnover,
        "confirm": confirm,
        "timestamp": now,
    }


def recent_trade(trade: Trade) -> Json:
    """Return a row of recent-trade."""
    return {
        "execId": execution_id(trade.tid, 0),
        "symbol": symbol_of(trade.coin),
        "price": plain(trade.price),
        "size": plain(trade.size),
        "side": side_word(is_buy=trade.is_buy),
        "time": str(trade.time_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
    }


def trade_event(trade: Trade) -> Json:
    """Return a public trade as the stream sends it."""
    return {
        "T": trade.time_ms,
        "s": symbol_of(trade.coin),
        "S": side_word(is_buy=trade.is_buy),
        "v": plain(trade.size),
        "p": plain(trade.price),
        "L": "PlusTick",
        "i": execution_id(trade.tid, 0),
        "BT": False,
        "RPI": False,
    }


def order(snapshot: OrderSnapshot, facts: OrderFacts, sums: Sums, spec: InstrumentSpec) -> Json:
    """Return an order as realtime, history and the stream tell it."""
    trigger = snapshot.trigger
    ended = snapshot.status in (OrderStatus.CANCELED, OrderStatus.REJECTED)
    left = Decimal(0) if ended else snapshot.remaining
    return {
        "orderId": order_id(snapshot.oid),
        "orderLinkId": snapshot.cloid or "",
        "blockTradeId": "",
        "symbol": symbol_of(snapshot.coin),
        "price": "0" if facts.market else plain(snapshot.price),
        "qty": plain(snapshot.size),
        "side": side_word(is_buy=snapshot.is_buy),
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": status_word(snapshot),
        "createType": "CreateByUser",
        "cancelType": cancel_type(snapshot),
        "rejectReason": reject_reason(snapshot),
        "avgPrice": plain(sums.average(decimal_of(1, spec.price_max_decimals))) if sums.size else "",
        "leavesQty": plain(left),
        "leavesValue": plain(left * snapshot.price),
        "cumExecQty": plain(sums.size),
        "cumExecValue": plain(sums.value),
        "cumExecFee": plain(sums.fee),
        "timeInForce": "IOC" if facts.market else facts.tif or TIF_WORDS[snapshot.tif],
        "orderType": "Market" if facts.market else "Limit",
        "stopOrderType": facts.stop_type,
        "orderIv": "",
        "triggerPrice": "" if trigger is None else plain(trigger.trigger_px),
        "takeProfit": facts.take_profit,
        "stopLoss": facts.stop_loss,
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0 if trigger is None else direction(trigger.tpsl, is_buy=snapshot.is_buy),
        "triggerBy": "" if trigger is None else "MarkPrice",
        "lastPriceOnCreated": "",
        "reduceOnly": snapshot.reduce_only,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": facts.tpsl_mode,
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(snapshot.placed_ms),
        "updatedTime": str(snapshot.status_ms or snapshot.placed_ms),
    }


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
        "createType": "CreateByLiq" if fill.liquidation else "CreateByUser",
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
        "feeRate": plain((fill.fee / value).quantize(_CENT)) if value else "0",
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": plain(closed),
        "seq": fill.tid,
    }


def position(state: PositionState | None, spec: InstrumentSpec, leverage: int, mark: Decimal, now: int) -> Json:
    """Return a row of position/list; without a position the row of a flat one."""
    size = Decimal(0) if state is None else state.size
    entry = Decimal(0) if state is None else state.entry_px
    liquidation = None if state is None else state.liquidation_px
    worth = abs(size) * entry
    maintenance = Decimal(0) if state is None else state.position_value / (_MMR * spec.max_leverage)
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": symbol_of(spec.coin),
        "side": "" if not size else side_word(is_buy=size > 0),
        "size": plain(abs(size)),
        "avgPrice": plain(entry),
        "positionValue": plain(worth) if size else "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(leverage),
        "positionBalance": plain(Decimal(0) if state is None else state.margin_used),
        "markPrice": plain(mark),
        "liqPrice": "" if liquidation is None else plain(liquidation),
        "bustPrice": "",
        "positionMM": plain(maintenance.quantize(_CENT)),
        "positionIM": plain(Decimal(0) if state is None else state.margin_used),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": plain(Decimal(0) if state is None else state.unrealised_pnl),
        "curRealisedPnl": plain(Decimal(0) if state is None else -state.cum_funding),
        "cumRealisedPnl": "0",
        "sessionAvgPrice": "",
        "seq": now,
        "isReduceOnly": False,
        "mmrSysUpdateTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(now),
        "updatedTime": str(now),
    }


def wallet(state: AccountState) -> Json:
    """Return the one row of wallet-balance: a unified account that holds USDT alone."""
    unrealised = sum((entry.unrealised_pnl for entry in state.positions), Decimal(0))
    balance = state.account_value - unrealised
    value = state.account_value
    rate = plain((state.margin_used / value).quantize(Decimal("0.0001"))) if value > 0 else "0"
    maintenance = plain((state.maintenance_margin / value).quantize(Decimal("0.0001"))) if value > 0 else "0"
    totals = {
        "totalEquity": plain(value),
        "totalWalletBalance": plain(balance),
        "totalMarginBalance": plain(value),
        "totalAvailableBalance": plain(state.withdrawable),
        "totalPerpUPL": plain(unrealised),
        "totalInitialMargin": plain(state.margin_used + state.order_margin),
        "totalMaintenanceMargin": plain(state.maintenance_margin),
    }
    coin = {
        "coin": QUOTE,
        "equity": plain(value),
        "usdValue": plain(value),
        "walletBalance": plain(balance),
        "availableToWithdraw": plain(state.withdrawable),
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": plain(state.order_margin),
        "totalPositionIM": plain(state.margin_used),
        "totalPositionMM": plain(state.maintenance_margin),
        "unrealisedPnl": plain(unrealised),
        "cumRealisedPnl": plain(balance - state.deposit),
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "locked": "0",
        "spotHedgingQty": "0",
    }
    return {
        "accountType": "UNIFIED",
        "accountIMRate": rate,
        "accountMMRate": maintenance,
        "accountLTV": "0",
        **totals,
        "coin": [coin],
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


def _rate_for(payment: FundingPayment) -> str:
    return plain((payment.rate if payment.position > 0 else -payment.rate).quantize(_RATE))


def settlement(payment: FundingPayment, number: int) -> Json:
    """Return a funding payment as a row of the transaction log; `funding` is positive when received."""
    received = -payment.paid
    return {
        "id": f"{payment.coin}_{payment.time_ms}_{number}",
        "symbol": symbol_of(payment.coin),
        "side": side_word(is_buy=payment.position > 0),
        "funding": plain(received),
        "orderLinkId": "",
        "orderId": "",
        "fee": "0",
        "change": plain(received),
        "cashFlow": "0",
        "transactionTime": str(payment.time_ms),
        "type": "SETTLEMENT",
        "feeRate": _rate_for(payment),
        "bonusChange": "",
        "size": plain(payment.position),
        "qty": plain(abs(payment.position)),
        "cashBalance": "",
        "currency": QUOTE,
        "category": CATEGORY,
        "tradePrice": "",
        "tradeId": "",
    }
