"""Accounts in the venue's JSON shapes: state, positions, funding, and how money moved otherwise than by trading."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import AccountState, FundingPayment, PositionState
from apps.exchanges.mock.engine.events import Liquidated
from apps.exchanges.mock.wire.hyperliquid.numbers import wire, wire_places, wire_usd
from apps.exchanges.mock.wire.hyperliquid.views import Json

NOBODY = "0x" + "0" * 40
_ZERO = Decimal(0)
_NO_HASH = "0x" + "0" * 64


def leverage(state: PositionState) -> Json:
    """Return mode and number; an isolated position tells its margin as the dollars it would have without its size."""
    if state.is_cross:
        return {"type": "cross", "value": state.leverage}
    raw = state.margin_used - state.size * state.mark_px
    return {"type": "isolated", "value": state.leverage, "rawUsd": wire_usd(raw)}


def position(state: PositionState) -> Json:
    """Return one entry of assetPositions."""
    return {
        "type": "oneWay",
        "position": {
            "coin": state.coin,
            "szi": wire(state.size),
            "leverage": leverage(state),
            "entryPx": wire_places(state.entry_px, 6),
            "positionValue": wire_usd(state.position_value),
            "unrealizedPnl": wire_usd(state.unrealised_pnl),
            "returnOnEquity": wire_places(state.return_on_equity, 10),
            "liquidationPx": None if state.liquidation_px is None else wire_places(state.liquidation_px, 8),
            "marginUsed": wire_usd(state.margin_used),
            "maxLeverage": state.max_leverage,
            "cumFunding": {
                "allTime": wire_usd(state.cum_funding),
                "sinceOpen": wire_usd(state.cum_funding),
                "sinceChange": wire_usd(state.cum_funding),
            },
        },
    }


def account(state: AccountState) -> Json:
    """Return the clearinghouse state of an account."""
    crossed = [entry for entry in state.positions if entry.is_cross]
    crossed_notional = sum((entry.position_value for entry in crossed), _ZERO)
    crossed_raw = state.cross_value - sum((entry.size * entry.mark_px for entry in crossed), _ZERO)
    return {
        "marginSummary": _summary(state.account_value, state.total_notional, state.cash, state.margin_used),
        "crossMarginSummary": _summary(state.cross_value, crossed_notional, crossed_raw, state.cross_margin),
        "crossMaintenanceMarginUsed": wire_usd(state.maintenance_margin),
        "withdrawable": wire_usd(max(_ZERO, state.withdrawable)),
        "assetPositions": [position(entry) for entry in state.positions],
        "time": state.time_ms,
    }


def _summary(value: Decimal, notional: Decimal, raw: Decimal, used: Decimal) -> Json:
    return {
        "accountValue": wire_usd(value),
        "totalNtlPos": wire_usd(notional),
        "totalRawUsd": wire_usd(raw),
        "totalMarginUsed": wire_usd(used),
    }


def no_account(time_ms: int) -> Json:
    """Return the clearinghouse state of an address that never deposited."""
    return {
        "marginSummary": _summary(_ZERO, _ZERO, _ZERO, _ZERO),
        "crossMarginSummary": _summary(_ZERO, _ZERO, _ZERO, _ZERO),
        "crossMaintenanceMarginUsed": "0.0",
        "withdrawable": "0.0",
        "assetPositions": [],
        "time": time_ms,
    }


def funding_event(payment: FundingPayment) -> Json:
    """Return one payment as the userFundings stream shows it; negative `usdc` was paid."""
    return {
        "time": payment.time_ms,
        "coin": payment.coin,
        "usdc": wire_usd(-payment.paid),
        "szi": wire(payment.position),
        "fundingRate": wire_places(payment.rate, 10),
        "nSamples": None,
    }


def funding_delta(payment: FundingPayment) -> Json:
    """Return one payment as the userFunding request shows it."""
    event = funding_event(payment)
    return {"time": event.pop("time"), "hash": _NO_HASH, "delta": {"type": "funding", **event}}


def liquidation_event(event: Liquidated) -> Json:
    """Return a liquidation as the userEvents stream shows it."""
    return {
        "lid": event.time_ms,
        "liquidator": NOBODY,
        "liquidated_user": event.address,
        "liquidated_ntl_pos": wire_usd(event.notional),
        "liquidated_account_value": wire_usd(event.value),
    }


def liquidation_delta(event: Liquidated) -> Json:
    """Return a liquidation as the ledger shows it."""
    return {
        "type": "liquidation",
        "liquidatedNtlPos": wire_usd(event.notional),
        "accountValue": wire_usd(event.value),
        "leverageType": "Cross" if event.is_cross else "Isolated",
        "liquidatedPositions": [{"coin": coin, "szi": wire(size)} for coin, size in event.sizes],
    }


def ledger_sign(delta: Json, user: str) -> Decimal:
    """Return the dollars a ledger entry brought to the margin account of `user`; negative: took away."""
    if delta["type"] == "deposit":
        return Decimal(delta["usdc"])
    if delta["type"] == "accountClassTransfer":
        return Decimal(delta["usdc"]) * (1 if delta["toPerp"] else -1)
    if delta["type"] == "internalTransfer" and delta["user"] != delta["destination"]:
        return Decimal(delta["usdc"]) * (1 if delta["destination"] == user else -1)
    return _ZERO
