"""The venue's own words: error sentences and order statuses.

Sentences: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/error-responses, and
answers seen on the testnet. Where the venue's wording is not known the sentence says plainly what
is wrong. In-band order errors end in " asset=N", as live replies do.
"""

from __future__ import annotations

from collections.abc import Mapping

from apps.exchanges.mock.engine.api import CancelReason, OrderSnapshot, OrderStatus, RejectCode, Rejected
from apps.exchanges.mock.wire.hyperliquid.numbers import wire

DESERIALIZE = "Failed to deserialize the JSON body into the target type"
EXPIRED = "Action already expired"
CANNOT_MODIFY = "Cannot modify canceled or filled order"
NOT_ENOUGH_TO_MOVE = "Insufficient balance for withdrawal."
NO_ISOLATED_POSITION = "Position does not use isolated margin."

_REJECTIONS: Mapping[RejectCode, str] = {
    RejectCode.UNKNOWN_COIN: "Invalid asset.",
    RejectCode.ZERO_SIZE: "Order has zero size.",
    RejectCode.INVALID_SIZE: "Order has invalid size.",
    RejectCode.TICK: "Price must be divisible by tick size.",
    RejectCode.MIN_NOTIONAL: "Order must have minimum value of $10.",
    RejectCode.PRICE_TOO_FAR: "Order price cannot be more than 80% away from the reference price.",
    RejectCode.INSUFFICIENT_MARGIN: "Insufficient margin to place order.",
    RejectCode.INSUFFICIENT_BALANCE: "Insufficient spot balance",
    RejectCode.REDUCE_ONLY: "Reduce only order would increase position.",
    RejectCode.BAD_ALO_PRICE: "Post only order would have immediately matched, bbo was {bbo}.",
    RejectCode.IOC_NO_MATCH: "Order could not immediately match against any resting orders.",
    RejectCode.FOK_NO_MATCH: "Order could not immediately match against any resting orders.",
    RejectCode.NO_LIQUIDITY: "No liquidity available for market order.",
    RejectCode.BAD_TRIGGER_PRICE: "Invalid TP/SL price.",
    RejectCode.DUPLICATE_CLOID: "Duplicate cloid.",
    RejectCode.TOO_MANY_OPEN_ORDERS: "Too many open orders.",
    RejectCode.PARENT_REJECTED: "Parent order was rejected.",
    RejectCode.UNKNOWN_ORDER: "Order was never placed, already canceled, or filled.",
    RejectCode.CANNOT_MODIFY: CANNOT_MODIFY,
    RejectCode.AGENT_IN_USE: "Extra agent already used.",
    RejectCode.ALREADY_EXPIRED: EXPIRED,
    RejectCode.INVALID_LEVERAGE: "Invalid leverage value",
    RejectCode.MARGIN_MODE_LOCKED: "Cannot switch leverage type with open position.",
    RejectCode.NO_ISOLATED_POSITION: NO_ISOLATED_POSITION,
    RejectCode.SCHEDULE_TOO_SOON: "Scheduled cancel time must be at least 5 seconds in the future.",
    RejectCode.SCHEDULE_LIMIT: "Too many scheduled cancels triggered today.",
}

_REJECTED_STATUS: Mapping[RejectCode, str] = {
    RejectCode.TICK: "tickRejected",
    RejectCode.MIN_NOTIONAL: "minTradeNtlRejected",
    RejectCode.PRICE_TOO_FAR: "oracleRejected",
    RejectCode.INSUFFICIENT_MARGIN: "perpMarginRejected",
    RejectCode.INSUFFICIENT_BALANCE: "insufficientSpotBalanceRejected",
    RejectCode.REDUCE_ONLY: "reduceOnlyRejected",
    RejectCode.BAD_ALO_PRICE: "badAloPxRejected",
    RejectCode.IOC_NO_MATCH: "iocCancelRejected",
    RejectCode.FOK_NO_MATCH: "iocCancelRejected",
    RejectCode.NO_LIQUIDITY: "marketOrderNoLiquidityRejected",
    RejectCode.BAD_TRIGGER_PRICE: "badTriggerPxRejected",
    RejectCode.TOO_MANY_OPEN_ORDERS: "tooManyOpenOrdersRejected",
}

_CANCELED_STATUS: Mapping[CancelReason, str] = {
    CancelReason.USER: "canceled",
    CancelReason.MARGIN: "marginCanceled",
    CancelReason.REDUCE_ONLY: "reduceOnlyCanceled",
    CancelReason.SELF_TRADE: "selfTradeCanceled",
    CancelReason.SIBLING_FILLED: "siblingFilledCanceled",
    CancelReason.PARENT: "canceled",
    CancelReason.EXPIRED: "canceled",
    CancelReason.SCHEDULED: "scheduledCancel",
    CancelReason.LIQUIDATED: "liquidatedCanceled",
    CancelReason.IMMEDIATE_REMAINDER: "canceled",
}


def sentence(rejection: Rejected) -> str:
    """Return the venue's sentence for a refusal."""
    text = _REJECTIONS[rejection.code]
    if rejection.code is not RejectCode.BAD_ALO_PRICE:
        return text
    sides = (rejection.best_bid, rejection.best_ask)
    return text.format(bbo="@".join("none" if side is None else wire(side).removesuffix(".0") for side in sides))


def order_sentence(rejection: Rejected, asset: int) -> str:
    """Return the sentence as it stands inside an order or cancel answer."""
    return f"{sentence(rejection)} asset={asset}"


def status_word(order: OrderSnapshot) -> str:
    """Return the venue's word for where an order stands and why."""
    if isinstance(order.reason, CancelReason):
        return _CANCELED_STATUS[order.reason]
    if isinstance(order.reason, RejectCode) and order.status is OrderStatus.REJECTED:
        return _REJECTED_STATUS.get(order.reason, "rejected")
    return order.status.value


def does_not_exist(address: str) -> str:
    """Return what a signer hears who neither has an account nor trades for one."""
    return f"User or API Wallet {address} does not exist."


def must_deposit(address: str) -> str:
    """Return what a signer without an account hears when it signs for itself."""
    return f"Must deposit before performing actions. User: {address}"


def not_enough_volume(what: str, required: str, traded: str) -> str:
    """Return the refusal of a feature that must be earned by trading; amounts in dollars."""
    return f"Cannot {what} until enough volume traded. Required: ${required}. Traded: ${traded}."
