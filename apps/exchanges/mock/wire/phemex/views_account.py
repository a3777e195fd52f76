"""Accounts, positions and funding as Phemex's rows, at the order endpoints and in the stream."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import AccountState, FundingPayment, InstrumentSpec, PositionState
from apps.exchanges.mock.wire.phemex.words import NS_PER_MS, QUOTE, plain, side_word, symbol_of
from apps.exchanges.mock.wire.port import Json

_ZERO = Decimal(0)
_RATIO = Decimal("0.00000001")


def account(state: AccountState, user_id: int, account_id: int) -> Json:
    """Return the USDT account: what was paid in and realised, without the worth of open positions."""
    unrealised = sum((entry.unrealised_pnl for entry in state.positions), _ZERO)
    return {
        "userID": user_id,
        "accountId": account_id,
        "currency": QUOTE,
        "accountBalanceRv": plain(state.account_value - unrealised),
        "totalUsedBalanceRv": plain(state.margin_used + state.order_margin),
        "bonusBalanceRv": "0",
    }


def streamed_account(row: Json) -> Json:
    """Return the account as the stream tells it."""
    kept = {name: value for name, value in row.items() if name != "accountId"}
    return {**kept, "accountID": row["accountId"], "status": 0, "tradeLevel": 0}


def position(
    spec: InstrumentSpec, state: PositionState | None, leverage: int, mark: Decimal, last_funding_ms: int
) -> Json:
    """Return the row of one symbol; flat ones have a row too. `valueRv` is what was paid, not what it is worth."""
    size = _ZERO if state is None else state.size
    # Exact, where the average price is rounded: worth at the mark less what was won since.
    paid = _ZERO if state is None else abs(size * mark - state.unrealised_pnl)
    margin = _ZERO if state is None else state.margin_used
    liquidation = _ZERO if state is None or state.liquidation_px is None else state.liquidation_px
    requirement = (Decimal(1) / leverage).quantize(_RATIO)
    return {
        "symbol": symbol_of(spec.coin),
        "currency": QUOTE,
        "side": "None" if not size else side_word(is_buy=size > 0),
        "positionStatus": "Normal",
        "crossMargin": True if state is None else state.is_cross,
        "leverageRr": str(-leverage if state is None or state.is_cross else leverage),
        "initMarginReqRr": plain(requirement),
        "maintMarginReqRr": plain((Decimal(1) / (2 * spec.max_leverage)).quantize(_RATIO)),
        "riskLimitRv": "2000000",
        "size": plain(abs(size)),
        "valueRv": plain(paid),
        "avgEntryPriceRp": "0" if state is None else plain(state.entry_px),
        "posCostRv": plain(margin),
        "assignedPosBalanceRv": plain(margin),
        "bankruptCommRv": "0",
        "bankruptPriceRp": "0",
        "positionMarginRv": plain(margin),
        "liquidationPriceRp": plain(liquidation),
        "deleveragePercentileRr": "0",
        "buyValueToCostRr": plain(requirement),
        "sellValueToCostRr": plain(requirement),
        "markPriceRp": plain(mark),
        "estimatedOrdLossRv": "0",
        "usedBalanceRv": plain(margin),
        "cumClosedPnlRv": "0",
        "cumFundingFeeRv": "0" if state is None else plain(state.cum_funding),
        "cumTransactFeeRv": "0",
        "curTermRealisedPnlRv": "0",
        "term": 1,
        "execSeq": 0,
        "lastTermEndTimeNs": 0,
        "lastFundingTimeNs": last_funding_ms * NS_PER_MS,
        "transactTimeNs": 0,
        "takerFeeRateRr": "-1",
        "makerFeeRateRr": "-1",
        "posSide": "Merged",
        "posMode": "OneWay",
    }


def with_profit(row: Json, state: PositionState | None) -> Json:
    """Return a position row as the dearer endpoint tells it: another name for the size, and what was won or lost."""
    kept = {name: value for name, value in row.items() if name != "size"}
    return {**kept, "sizeRq": row["size"], "unRealisedPnlRv": "0" if state is None else plain(state.unrealised_pnl)}


def streamed_position(row: Json, state: PositionState | None, now_ns: int) -> Json:
    """Return a position row as the stream tells it."""
    renamed = {"lastTermEndTimeNs": "lastTermEndTime", "lastFundingTimeNs": "lastFundingTime"}
    kept = {renamed.get(name, name): value for name, value in row.items() if name != "crossMargin"}
    return {
        **kept,
        "buyLeavesQty": "0",
        "buyLeavesValueRv": "0",
        "sellLeavesQty": "0",
        "sellLeavesValueRv": "0",
        "createdAtNs": 0,
        "updatedAtNs": 0,
        "crossMarginWeightRv": "0",
        "crossSharedBalanceRv": "0",
        "cumPtFeeRv": "0",
        "curTermDiscountFeeRv": "0",
        "curTermPtFeeRv": "0",
        "dataVer": 1,
        "displayLeverageRr": row["leverageRr"],
        "freeCostRv": "0",
        "freeQty": "0",
        "minPosCostRv": "0",
        "orderCostRv": "0",
        "riskLimitIndexId": 1005,
        "transactTimeNs": now_ns,
        "unrealisedPnlRv": "0" if state is None else plain(state.unrealised_pnl),
    }


def funding_fee(payment: FundingPayment, mark: Decimal) -> Json:
    """Return a funding payment; `execFeeRv` is positive when it was paid."""
    size = abs(payment.position)
    return {
        "symbol": symbol_of(payment.coin),
        "currency": QUOTE,
        "execQtyRq": plain(size),
        "side": side_word(is_buy=payment.position > 0),
        "execPriceRp": plain(mark),
        "execValueRv": plain(size * mark),
        "fundingRateRr": plain(payment.rate),
        "feeRateRr": plain(payment.rate),
        "execFeeRv": plain(payment.paid),
        "createTime": payment.time_ms,
    }
