"""An account's orders, positions and money as Bybit's rows: numbers as text, times as text in milliseconds."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    AccountState,
    InstrumentSpec,
    OrderSnapshot,
    OrderStatus,
    PositionState,
)
from apps.exchanges.mock.engine.grid import decimal_of
from apps.exchanges.mock.wire.bybit.facts import OrderFacts
from apps.exchanges.mock.wire.bybit.market_views import RISK_LIMIT
from apps.exchanges.mock.wire.bybit.words import (
    QUOTE,
    TIF_WORDS,
    cancel_type,
    direction,
    order_id,
    plain,
    reject_reason,
    side_word,
    status_word,
    symbol_of,
)
from apps.exchanges.mock.wire.order_sums import Sums
from apps.exchanges.mock.wire.port import Json

_MMR = Decimal(2)
_OF_ALL_POSITIONS = ("totalMarginBalance", "totalAvailableBalance", "totalInitialMargin", "totalMaintenanceMargin")
_CENT = Decimal("0.00000001")


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
        "createType": facts.create_type,
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
        "smpType": facts.smp_type,
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": facts.tpsl_mode,
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(snapshot.placed_ms),
        "updatedTime": str(snapshot.status_ms or snapshot.placed_ms),
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
        "riskLimitValue": RISK_LIMIT,
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


def wallet(state: AccountState, *, isolated: bool) -> Json:
    """Return the one row of wallet-balance: a unified account that holds USDT alone.

    In isolated margin mode the venue leaves empty what is said of the margin of all positions together.
    """
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
    if isolated:
        rate = maintenance = ""
        totals |= dict.fromkeys(_OF_ALL_POSITIONS, "")
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
