"""How the chain and the indexer say no.

Codes and sentences of the chain after
https://github.com/dydxprotocol/v4-chain/blob/main/protocol/x/clob/types/errors.go and the cosmos SDK's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SDK, CLOB = "sdk", "clob"
_SENTENCES: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        (SDK, 2): "tx parse error",
        (SDK, 4): "unauthorized",
        (SDK, 8): "invalid pubkey",
        (SDK, 9): "unknown address",
        (SDK, 18): "invalid request",
        (SDK, 30): "tx timeout height",
        (SDK, 32): "incorrect account sequence",
        (CLOB, 2): "Order does not exist in memclob",
        (CLOB, 3): "Invalid order side",
        (CLOB, 4): "Invalid order quantums",
        (CLOB, 5): "Invalid order goodTilBlock",
        (CLOB, 6): "Invalid order subticks",
        (CLOB, 8): "ClobPair ID does not reference a valid CLOB",
        (CLOB, 9): "A cancel already exists in the memclob for this order with a greater than or equal GoodTilBlock",
        (CLOB, 10): "The next block height is greater than the GoodTilBlock of the message",
        (CLOB, 11): "The GoodTilBlock of the message is further than ShortBlockWindow blocks into the future",
        (CLOB, 12): "MsgPlaceOrder is invalid",
        (CLOB, 20): (
            "An order with the same `OrderId` already exists for this CLOB with a greater-than-or-equal `GoodTilBlock`"
            " or Order Hash"
        ),
        (CLOB, 24): "Order is fully filled",
        (CLOB, 29): "Invalid stateful order cancellation",
        (CLOB, 42): "Unexpected time in force",
        (CLOB, 45): "Invalid batch cancel message",
        (CLOB, 48): "This field has been deprecated",
        (CLOB, 2001): "Reduce-only orders cannot increase the position size",
        (CLOB, 2003): "Post-only order would cross one or more maker orders",
        (CLOB, 3000): "Invalid order flags",
        (CLOB, 3001): "Invalid order goodTilBlockTime",
        (CLOB, 3002): "Stateful orders cannot require immediate execution",
        (CLOB, 3003): "The block time is greater than the GoodTilBlockTime of the message",
        (CLOB, 3004): "The GoodTilBlockTime of the message is further than StatefulOrderTimeWindow into the future",
        (CLOB, 3005): "Existing stateful order has higher-or-equal priority than the new one",
        (CLOB, 3006): "Stateful order does not exist",
        (CLOB, 3007): "Stateful order collateralization check failed",
        (CLOB, 3008): "Stateful order was previously cancelled and therefore cannot be placed",
        (CLOB, 5001): "Block rate limit exceeded",
        (CLOB, 6000): "Conditional type is invalid",
        (CLOB, 6001): "Conditional order trigger subticks is invalid",
        (CLOB, 9003): "Reduce-only is currently disabled for non-IOC orders",
        (CLOB, 10001): "Subaccount cannot open more orders due to equity tier limit.",
    }
)


class RefusedTx(Exception):
    """The node does not take a transaction: a code, the module it belongs to, and what led to it."""

    def __init__(self, code: int, why: str = "", codespace: str = CLOB) -> None:
        """Keep the code; the sentence is the chain's, with `why` before it."""
        sentence = _SENTENCES[codespace, code]
        self.code, self.codespace = code, codespace
        self.log = f"{why}: {sentence}" if why else sentence
        super().__init__(f"{codespace} {code} {self.log}")


class RefusedRead(Exception):
    """The indexer answers a question with an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(f"{status} {message}")
        self.status, self.message = status, message
