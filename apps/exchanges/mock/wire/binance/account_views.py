"""What the engine knows of an account as Binance's futures JSON: balances, margin, positions.

https://developers.binance.com/docs/derivatives/usds-margined-futures/account/rest-api
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from apps.exchanges.mock.engine.api import AccountState, InstrumentSpec, PositionState
from apps.exchanges.mock.wire.binance.words import QUOTE, money, symbol_of, text
from apps.exchanges.mock.wire.port import Json

_ZERO = Decimal(0)


def wallet(state: AccountState) -> Decimal:
    """Return the balance without unrealised profit."""
    return state.account_value - unrealised(state)


def unrealised(state: AccountState) -> Decimal:
    """Return the unrealised profit of all positions."""
    return sum((entry.unrealised_pnl for entry in state.positions), _ZERO)


def account(state: AccountState, ordered: Collection[str], now_ms: int) -> Json:
    """Return an account as GET /fapi/v3/account does: the only asset is USDT.

    The coins of `ordered`, in which orders rest, have a row as well as those with a position.
    """
    figures = _figures(state)
    total = {"totalPositionInitialMargin": figures["positionInitialMargin"]}
    total |= {"totalOpenOrderInitialMargin": figures["openOrderInitialMargin"]}
    return {
        "totalInitialMargin": figures["initialMargin"],
        "totalMaintMargin": figures["maintMargin"],
        "totalWalletBalance": figures["walletBalance"],
        "totalUnrealizedProfit": figures["unrealizedProfit"],
        "totalMarginBalance": figures["marginBalance"],
        **total,
        "totalCrossWalletBalance": figures["crossWalletBalance"],
        "totalCrossUnPnl": figures["crossUnPnl"],
        "availableBalance": figures["availableBalance"],
        "maxWithdrawAmount": figures["maxWithdrawAmount"],
        "assets": [{"asset": QUOTE, **figures, "updateTime": now_ms}],
        "positions": [
            *(_account_position(entry, now_ms) for entry in state.positions),
            *(_no_position(coin) for coin in sorted(set(ordered) - {entry.coin for entry in state.positions})),
        ],
    }


def account_v2(state: AccountState, specs: dict[str, InstrumentSpec], now_ms: int) -> Json:
    """Return an account as GET /fapi/v2/account does: with permissions, and every symbol's leverage and entry."""
    held = {entry.coin: entry for entry in state.positions}
    rows = []
    for coin, spec in specs.items():
        entry = held.get(coin)
        row = _account_position(entry, now_ms) if entry is not None else _no_position(coin)
        rows.append(
            {
                **row,
                "positionInitialMargin": row.get("initialMargin", "0"),
                "openOrderInitialMargin": "0",
                "bidNotional": "0",
                "askNotional": "0",
                "leverage": str(entry.leverage if entry else spec.max_leverage),
                "isolated": entry is not None and not entry.is_cross,
                "entryPrice": text(entry.entry_px) if entry else "0.0",
                "maxNotional": "250000",
            }
        )
    permissions = {"feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True}
    answer = account(state, (), now_ms)
    answer["assets"] = [{**row, "marginAvailable": True} for row in answer["assets"]]
    modes = {"multiAssetsMargin": False, "tradeGroupId": -1, "updateTime": 0}
    return {**permissions, **modes, **answer, "positions": rows}


def balances(state: AccountState, now_ms: int) -> list[Json]:
    """Return an account as GET /fapi/v3/balance does."""
    figures = _figures(state)
    names = ("crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
    row = {"accountAlias": "SgsR", "asset": QUOTE, "balance": figures["walletBalance"]}
    return [row | {name: figures[name] for name in names} | {"marginAvailable": True, "updateTime": now_ms}]


def position_risk(entry: PositionState, now_ms: int) -> Json:
    """Return a position as GET /fapi/v3/positionRisk does."""
    margin = money(_initial(entry))
    return {
        "symbol": symbol_of(entry.coin),
        "positionSide": "BOTH",
        "positionAmt": text(entry.size),
        "entryPrice": text(entry.entry_px),
        "breakEvenPrice": text(entry.entry_px),
        "markPrice": money(entry.mark_px),
        "unRealizedProfit": money(entry.unrealised_pnl),
        "liquidationPrice": "0" if entry.liquidation_px is None else text(entry.liquidation_px),
        **_isolated(entry),
        "notional": money(entry.size * entry.mark_px),
        "marginAsset": QUOTE,
        "initialMargin": margin,
        "maintMargin": money(_maintenance(entry)),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": now_ms,
    }


def position_risk_v2(entry: PositionState, now_ms: int) -> Json:
    """Return a position as GET /fapi/v2/positionRisk does: with leverage and margin type."""
    row = position_risk(entry, now_ms)
    extra = {"leverage": str(entry.leverage), "maxNotionalValue": "100000000", "marginType": margin_type(entry)}
    return {**row, **extra, "isAutoAddMargin": "false"}


def margin_type(entry: PositionState) -> str:
    """Return the venue's word for whose money backs a position."""
    return "cross" if entry.is_cross else "isolated"


def _figures(state: AccountState) -> dict[str, str]:
    apart = [entry for entry in state.positions if not entry.is_cross]
    cross_wallet = wallet(state) - sum((entry.isolated_margin or _ZERO for entry in apart), _ZERO)
    cross_profit = unrealised(state) - sum((entry.unrealised_pnl for entry in apart), _ZERO)
    held = sum((_initial(entry) for entry in state.positions), _ZERO)
    return {
        "walletBalance": money(wallet(state)),
        "unrealizedProfit": money(unrealised(state)),
        "marginBalance": money(state.account_value),
        "maintMargin": money(state.maintenance_margin),
        "initialMargin": money(held + state.order_margin),
        "positionInitialMargin": money(held),
        "openOrderInitialMargin": money(state.order_margin),
        "crossWalletBalance": money(cross_wallet),
        "crossUnPnl": money(cross_profit),
        "availableBalance": money(state.withdrawable),
        "maxWithdrawAmount": money(state.withdrawable),
    }


def _account_position(entry: PositionState, now_ms: int) -> Json:
    return {
        "symbol": symbol_of(entry.coin),
        "positionSide": "BOTH",
        "positionAmt": text(entry.size),
        "unrealizedProfit": money(entry.unrealised_pnl),
        **_isolated(entry),
        "notional": money(entry.size * entry.mark_px),
        "initialMargin": money(_initial(entry)),
        "maintMargin": money(_maintenance(entry)),
        "updateTime": now_ms,
    }


def _no_position(coin: str) -> Json:
    nothing = ("unrealizedProfit", "isolatedMargin", "notional", "isolatedWallet", "initialMargin", "maintMargin")
    row = {"symbol": symbol_of(coin), "positionSide": "BOTH", "positionAmt": "0"}
    return {**row, **dict.fromkeys(nothing, "0"), "updateTime": 0}


def _maintenance(entry: PositionState) -> Decimal:
    return entry.position_value / (2 * entry.max_leverage)


def _initial(entry: PositionState) -> Decimal:
    return entry.position_value / entry.leverage


def _isolated(entry: PositionState) -> dict[str, str]:
    """Return what an isolated position was given, with and without its profit; nothing of a crossed one."""
    if entry.isolated_margin is None:
        return {"isolatedMargin": "0", "isolatedWallet": "0"}
    own = money(entry.isolated_margin + entry.unrealised_pnl)
    return {"isolatedMargin": own, "isolatedWallet": money(entry.isolated_margin)}
