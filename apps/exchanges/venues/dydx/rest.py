"""The indexer and the node over HTTP, through ccxt: every question once, every answer judged, every cost stated.

https://docs.dydx.xyz/indexer-client/http and https://docs.cometbft.com/v0.38/rpc
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from apps.exchanges.throttling import Lane, Throttle
from apps.exchanges.venues.ccxt_generic.session import CcxtSession, Parameters
from apps.exchanges.venues.dydx.config import CANDLES, PROTOCOL, READS, Endpoints
from apps.exchanges.venues.dydx.judging import Judge
from apps.exchanges.venues.dydx.messages import AbciAnswer, AccountAnswer, BroadcastAnswer, HeightMessage
from apps.exchanges.venues.dydx.parse import decoded, whole
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity, NotSent

_LARGEST_HEIGHT = 2**63


class Rest:
    """One session with the venue. Thread-safe; raises what `CcxtSession.ask` and the judge raise."""

    def __init__(self, where: Endpoints, clock: Clock, throttle: Throttle) -> None:
        """Prepare without touching the network."""
        self._throttle = throttle
        addresses = {"indexer": where.indexer_url, "nodeRpc": where.rpc_url, "nodeRest": where.rest_url}
        self._session = CcxtSession(PROTOCOL, addresses=addresses, judge=Judge(throttle), clock=clock)

    def indexer(self, method: str, parameters: Parameters, lane: Lane = Lane.ORDINARY) -> str:
        """Return the indexer's answer to one of ccxt's implicit methods."""
        self._throttle.spend({READS: 1}, lane)
        return self._session.ask(method, parameters)

    def candles(self, parameters: Parameters) -> str:
        """Return candles; they have an allowance of their own."""
        self._throttle.spend({CANDLES: 1})
        return self._session.ask("indexerGetCandlesPerpetualMarketsMarket", parameters)

    def height(self) -> int:
        """Return the node's last block. The indexer's may be behind it."""
        answer = decoded("abci_info", self._session.ask("nodeRpcGetAbciInfo"), AbciAnswer)
        return whole("last_block_height", answer.result.response.last_block_height, _LARGEST_HEIGHT)

    def indexed_height(self, lane: Lane) -> int:
        """Return the block up to which the indexer knows."""
        answer = decoded("height", self.indexer("indexerGetHeight", {}, lane), HeightMessage)
        return whole("height", answer.height, _LARGEST_HEIGHT)

    def account_number(self, address: str) -> int:
        """Return an account's number on the chain, which every signature is about."""
        method = "nodeRestGetCosmosAuthV1beta1AccountInfoDydxAddress"
        answer = decoded("account_info", self._session.ask(method, {"dydxAddress": address}), AccountAnswer)
        return whole("account_number", answer.info.account_number, _LARGEST_HEIGHT)

    def broadcast(self, transaction: bytes) -> str:
        """Hand a transaction to the node and return its hash: it was taken, which is no promise.

        Raises TransactionRefused or RateLimited when it provably was not.
        """
        answer = self._session.ask("nodeRpcGetBroadcastTxSync", {"tx": f"0x{transaction.hex()}"})
        return decoded("broadcast", answer, BroadcastAnswer).result.hash

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()


@contextmanager
def before_sending() -> Iterator[None]:
    """Turn a question that was not answered into NotSent: what it was asked for has not left."""
    try:
        yield
    except NotSent:
        raise
    except Connectivity as error:
        raise NotSent(f"not sent: a question before it was not answered: {error}") from error
