"""Rows of the indexer as it would tell them, to be changed one field at a time."""

from __future__ import annotations

from typing import Any

from apps.exchanges.venues.dydx.names import ChainName

ADDRESS = "dydx1l3e9pgs3mmwuwrh95fecme0s0qtn2880qnulfw"
NAME = ChainName(ADDRESS, 77, 64, 0)
MARKET: dict[str, Any] = {
    "clobPairId": "0",
    "ticker": "BTC-USD",
    "status": "ACTIVE",
    "oraclePrice": "50000.5",
    "nextFundingRate": "0.0000125",
    "initialMarginFraction": "0.02",
    "atomicResolution": -10,
    "quantumConversionExponent": -9,
    "tickSize": "1",
    "stepSize": "0.0001",
    "stepBaseQuantums": 1_000_000,
    "subticksPerTick": 100_000,
}
ORDER: dict[str, Any] = {
    "id": NAME.venue_order_id,
    "clientId": "77",
    "clobPairId": "0",
    "side": "BUY",
    "size": "0.5",
    "totalFilled": "0.1",
    "price": "43000",
    "status": "OPEN",
    "orderFlags": "64",
    "reduceOnly": False,
    "ticker": "BTC-USD",
    "goodTilBlockTime": "2026-01-02T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
}
FILL: dict[str, Any] = {
    "id": "6450e369-1dc3-5229-8dc2-fb3b5d1cf2ab",
    "side": "SELL",
    "liquidity": "MAKER",
    "type": "LIMIT",
    "market": "BTC-USD",
    "price": "43000.5",
    "size": "0.5",
    "fee": "-0.25",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "orderId": NAME.venue_order_id,
}
POSITION: dict[str, Any] = {
    "market": "BTC-USD",
    "status": "OPEN",
    "size": "-0.3",
    "entryPrice": "50000.33333333333333333333",
    "unrealizedPnl": "0.1",
}
BANK: dict[str, Any] = {"symbol": "USDC", "side": "LONG", "size": "1000"}
CANDLE: dict[str, Any] = {
    "startedAt": "2026-01-01T00:01:00.000Z",
    "ticker": "BTC-USD",
    "resolution": "1MIN",
    "low": "99",
    "high": "103",
    "open": "100",
    "close": "102",
    "baseTokenVolume": "5",
}
TRADE: dict[str, Any] = {
    "id": "0000000000066",
    "side": "BUY",
    "size": "0.5",
    "price": "100",
    "createdAt": "2026-01-01T00:00:00.000Z",
}
FUNDING: dict[str, Any] = {
    "createdAt": "2026-01-01T01:00:00.000Z",
    "ticker": "BTC-USD",
    "size": "-0.3",
    "rate": "0.0000125",
    "payment": "0.1875",
}


def account(equity: str, *positions: dict[str, Any], bank: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a subaccount."""
    return {
        "equity": equity,
        "freeCollateral": equity,
        "openPerpetualPositions": {row["market"]: row for row in positions},
        "assetPositions": {"USDC": BANK if bank is None else bank},
    }
