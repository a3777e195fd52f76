"""Rows of the indexer: the engine's facts under dYdX's field names, with its JSON types.

https://docs.dydx.xyz/indexer-client/http. Amounts are text, exponents and steps in quantums are numbers.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from apps.exchanges.mock.engine.api import (
    AccountState,
    AssetContext,
    BookView,
    CancelReason,
    Candle,
    Fill,
    FundingPayment,
    FundingRate,
    InstrumentSpec,
    LevelView,
    OrderSnapshot,
    OrderStatus,
    PositionState,
    Trade,
)
from apps.exchanges.mock.wire.dydx.chain import Blocks
from apps.exchanges.mock.wire.dydx.facts import OrderFacts
from apps.exchanges.mock.wire.dydx.positions import PositionStory
from apps.exchanges.mock.wire.dydx.scales import QUANTUM_CONVERSION_EXPONENT, Scale
from apps.exchanges.mock.wire.dydx.words import (
    QUOTE,
    STOP_LOSS,
    SUBACCOUNT,
    TAKE_PROFIT,
    TIF_IOC,
    TIF_POST_ONLY,
    fill_id,
    iso,
    plain,
    subaccount_id,
    ticker_of,
    trade_id,
)
from apps.exchanges.mock.wire.port import Json

_TYPES = {STOP_LOSS: "STOP_LIMIT", TAKE_PROFIT: "TAKE_PROFIT"}
_PRICE_DIGITS = Decimal("1e-20")
_USER = "ORDER_REMOVAL_REASON_USER_CANCELED"
_REMOVED = {
    CancelReason.REDUCE_ONLY: "ORDER_REMOVAL_REASON_REDUCE_ONLY_RESIZE",
    CancelReason.MARGIN: "ORDER_REMOVAL_REASON_UNDERCOLLATERALIZED",
    CancelReason.SELF_TRADE: "ORDER_REMOVAL_REASON_SELF_TRADE_ERROR",
    CancelReason.IMMEDIATE_REMAINDER: "ORDER_REMOVAL_REASON_IMMEDIATE_OR_CANCEL_WOULD_REST_ON_BOOK",
}


def market(spec: InstrumentSpec, scale: Scale, context: AssetContext, trades_day: int) -> Json:
    """Return a perpetual market. The oracle price is the one positions are valued at."""
    initial = Decimal(1) / spec.max_leverage
    return {
        "clobPairId": str(scale.pair),
        "ticker": ticker_of(spec.coin),
        "status": "ACTIVE",
        "oraclePrice": plain(context.mark),
        "priceChange24H": plain(context.mark - context.prev_day_px),
        "volume24H": plain(context.day_notional_volume),
        "trades24H": trades_day,
        "nextFundingRate": plain(context.funding),
        "initialMarginFraction": plain(initial.quantize(Decimal("0.000001"))),
        "maintenanceMarginFraction": plain((initial / 2).quantize(Decimal("0.000001"))),
        "openInterest": plain(context.open_interest),
        "atomicResolution": scale.atomic_resolution,
        "quantumConversionExponent": QUANTUM_CONVERSION_EXPONENT,
        "tickSize": plain(scale.tick),
        "stepSize": plain(scale.lot),
        "stepBaseQuantums": scale.step_quantums,
        "subticksPerTick": scale.subticks_per_tick,
        "marketType": "CROSS",
        "openInterestLowerCap": "0",
        "openInterestUpperCap": "0",
        "baseOpenInterest": plain(context.open_interest),
        "defaultFundingRate1H": "0",
    }


def book(view: BookView) -> Json:
    """Return an order book."""
    return {"bids": [_level(level) for level in view.bids], "asks": [_level(level) for level in view.asks]}


def trade(blocks: Blocks, row: Trade) -> Json:
    """Return a public trade; `side` is the taker's."""
    return {
        "id": trade_id(row.tid),
        "side": _side(is_buy=row.is_buy),
        "size": plain(row.size),
        "price": plain(row.price),
        "type": "LIMIT",
        "createdAt": iso(row.time_ms),
        "createdAtHeight": str(blocks.height_at(row.time_ms)),
    }


def candle(bar: Candle, resolution: str, open_interest: Decimal) -> Json:
    """Return a candle. Its worth in dollars is estimated from its close: the engine counts base units only."""
    return {
        "startedAt": iso(bar.open_ms),
        "ticker": ticker_of(bar.coin),
        "resolution": resolution,
        "low": plain(bar.low),
        "high": plain(bar.high),
        "open": plain(bar.open),
        "close": plain(bar.close),
        "baseTokenVolume": plain(bar.volume),
        "usdVolume": plain(bar.volume * bar.close),
        "trades": bar.trades,
        "startingOpenInterest": plain(open_interest),
        "orderbookMidPriceOpen": plain(bar.open),
        "orderbookMidPriceClose": plain(bar.close),
    }


def funding_rate(blocks: Blocks, row: FundingRate, price: Decimal) -> Json:
    """Return an hour's funding rate."""
    return {
        "ticker": ticker_of(row.coin),
        "rate": plain(row.rate),
        "price": plain(price),
        "effectiveAtHeight": str(blocks.height_at(row.time_ms)),
        "effectiveAt": iso(row.time_ms),
    }


def funding_payment(blocks: Blocks, row: FundingPayment, price: Decimal) -> Json:
    """Return an account's funding payment, positive when received."""
    return {
        "createdAt": iso(row.time_ms),
        "createdAtHeight": str(blocks.height_at(row.time_ms)),
        "perpetualId": "",
        "ticker": ticker_of(row.coin),
        "oraclePrice": plain(price),
        "size": plain(row.position),
        "side": "LONG" if row.position > 0 else "SHORT",
        "rate": plain(row.rate),
        "payment": plain(-row.paid),
        "subaccountNumber": str(SUBACCOUNT),
        "fundingIndex": "0",
    }


def status(order: OrderSnapshot, facts: OrderFacts) -> str:
    """Return where an order stands, as far as the indexer can know: of a short-term one, only best efforts."""
    if order.status.final:
        if order.filled >= facts.size:
            return "FILLED"
        return "BEST_EFFORT_CANCELED" if facts.short_term and not facts.lapsed else "CANCELED"
    if order.waiting:
        return "UNTRIGGERED"
    return "BEST_EFFORT_OPENED" if facts.short_term and not order.filled else "OPEN"


def order(blocks: Blocks, row: OrderSnapshot, facts: OrderFacts) -> Json:
    """Return an order as it was signed, with what became of it."""
    until = {"goodTilBlock": str(facts.good_til)} if facts.short_term else {"goodTilBlockTime": _second(facts.good_til)}
    trigger = {} if facts.trigger_price is None else {"triggerPrice": plain(facts.trigger_price)}
    return {
        "id": facts.id,
        "subaccountId": subaccount_id(facts.account),
        "clientId": str(facts.client_id),
        "clobPairId": str(facts.pair),
        "side": _side(is_buy=facts.is_buy),
        "size": plain(facts.size),
        "totalFilled": plain(row.filled),
        "price": plain(facts.price),
        "type": _TYPES.get(facts.condition, "LIMIT"),
        "status": status(row, facts),
        "timeInForce": "IOC" if facts.tif == TIF_IOC else "GTT",
        "reduceOnly": facts.reduce_only,
        "orderFlags": str(facts.flags),
        **until,
        **trigger,
        "createdAtHeight": str(facts.height),
        "clientMetadata": str(facts.metadata),
        "updatedAt": iso(row.status_ms),
        "updatedAtHeight": str(blocks.height_at(row.status_ms)),
        "orderRouterAddress": "",
        "postOnly": facts.tif == TIF_POST_ONLY,
        "ticker": ticker_of(facts.coin),
        "subaccountNumber": SUBACCOUNT,
    }


def order_update(blocks: Blocks, row: OrderSnapshot, facts: OrderFacts) -> Json:
    """Return an order as the stream tells it: the reason, too, when it was taken out of the market."""
    told = order(blocks, row, facts)
    if row.status is OrderStatus.FILLED or not row.status.final:
        return told
    why = _REMOVED.get(row.reason, _USER) if isinstance(row.reason, CancelReason) else _USER
    return {**told, "removalReason": facts.removal or why}


def fill(blocks: Blocks, row: Fill, facts: OrderFacts | None) -> Json:
    """Return a fill; one without an order is a liquidation's."""
    liquidity = "TAKER" if row.crossed else "MAKER"
    said = {
        "id": fill_id(row.tid, f"{row.oid}-{liquidity}"),
        "side": _side(is_buy=row.is_buy),
        "liquidity": liquidity,
        "type": "LIQUIDATED" if row.liquidation else "LIMIT",
        "market": ticker_of(row.coin),
        "marketType": "PERPETUAL",
        "price": plain(row.price),
        "size": plain(row.size),
        "fee": plain(row.fee),
        "affiliateRevShare": "0",
        "createdAt": iso(row.time_ms),
        "createdAtHeight": str(blocks.height_at(row.time_ms)),
    }
    if facts is not None and not row.liquidation:
        said |= {"orderId": facts.id, "clientMetadata": str(facts.metadata)}
    return {**said, "subaccountNumber": SUBACCOUNT}


def position(blocks: Blocks, state: PositionState, story: PositionStory | None, now_ms: int) -> Json:
    """Return an open position. The size of a short one is negative."""
    cost = state.size * state.mark_px - state.unrealised_pnl
    entry = (cost / state.size).quantize(_PRICE_DIGITS, rounding=ROUND_HALF_EVEN)
    told = story or PositionStory(now_ms, blocks.height_at(now_ms), state.size, abs(state.size))
    exit_price = told.exit_price
    return {
        "market": ticker_of(state.coin),
        "status": "OPEN",
        "side": "LONG" if state.size > 0 else "SHORT",
        "size": plain(state.size),
        "maxSize": plain(told.largest),
        "entryPrice": plain(entry),
        "exitPrice": None if exit_price is None else plain(exit_price.quantize(_PRICE_DIGITS)),
        "realizedPnl": plain(told.closed_pnl - state.cum_funding),
        "unrealizedPnl": plain(state.size * (state.mark_px - entry)),
        "createdAt": iso(told.opened_ms),
        "createdAtHeight": str(told.height),
        "closedAt": None,
        "sumOpen": plain(told.opened),
        "sumClose": plain(told.closed),
        "netFunding": plain(-state.cum_funding),
        "subaccountNumber": SUBACCOUNT,
    }


def asset_positions(state: AccountState) -> dict[str, Json]:
    """Return what the account has in the bank, by currency; nothing when it is nothing."""
    if not state.cash:
        return {}
    row = {
        "size": plain(abs(state.cash)),
        "symbol": QUOTE,
        "side": "LONG" if state.cash > 0 else "SHORT",
        "assetId": "0",
        "subaccountNumber": SUBACCOUNT,
    }
    return {QUOTE: row}


def subaccount(state: AccountState, positions: list[Json], height: int) -> Json:
    """Return a subaccount: what it is worth at the oracle prices, and what of that is not tied up."""
    return {
        "address": state.address,
        "subaccountNumber": SUBACCOUNT,
        "equity": plain(state.account_value),
        "freeCollateral": plain(state.account_value - state.margin_used),
        "openPerpetualPositions": {row["market"]: row for row in positions},
        "assetPositions": asset_positions(state),
        "marginEnabled": True,
        "updatedAtHeight": str(height),
        "latestProcessedBlockHeight": str(height),
    }


def _level(level: LevelView) -> Json:
    return {"price": plain(level.price), "size": plain(level.size)}


def _side(*, is_buy: bool) -> str:
    return "BUY" if is_buy else "SELL"


def _second(seconds: int) -> str:
    return iso(seconds * 1000)
