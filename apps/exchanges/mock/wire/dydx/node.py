"""A node of the chain: blocks and transactions over CometBFT's RPC, accounts over cosmos REST.

https://docs.cometbft.com/v0.38/rpc and https://docs.cosmos.network/api
"""

from __future__ import annotations

import base64
from typing import Any

from apps.exchanges.mock.wire.counts import ActionCount
from apps.exchanges.mock.wire.door import Door
from apps.exchanges.mock.wire.dydx.refusals import CLOB, RefusedTx
from apps.exchanges.mock.wire.dydx.trading import Trading
from apps.exchanges.mock.wire.dydx.transactions import Transaction, hash_of, read_transaction
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import CHAINS, iso
from apps.exchanges.mock.wire.port import Json

BROADCAST = "/rpc/broadcast_tx_sync"
_VERSION = "9.1.0"
_GAS = "100000"


class Node:
    """Answers for the chain of `venue`; what may go wrong at the `door` is asked there."""

    def __init__(self, venue: Venue, trading: Trading, door: Door) -> None:
        """Pass transactions on to `trading`."""
        self._venue, self._trading, self._door = venue, trading, door

    def abci_info(self) -> Json:
        """Return the height of the last block."""
        height = str(self._venue.chain.height)
        return {"response": {"data": "dydxprotocol", "version": _VERSION, "last_block_height": height}}

    def status(self) -> Json:
        """Return the chain's name and its last block."""
        height = self._venue.chain.height
        synced = {
            "latest_block_height": str(height),
            "latest_block_time": iso(self._venue.blocks.time_ms(height)),
            "catching_up": False,
        }
        return {"node_info": {"network": CHAINS[0], "version": _VERSION}, "sync_info": synced}

    def account_info(self, address: str) -> Json | None:
        """Return an account's key and number; None when it has none on the chain."""
        account = self._venue.chain.account(address)
        if account is None:
            return None
        key = {
            "@type": "/cosmos.crypto.secp256k1.PubKey",
            "key": base64.b64encode(account.public_key).decode(),
        }
        return {"info": {"address": address, "pub_key": key, "account_number": str(account.number), "sequence": "0"}}

    def simulate(self) -> Json:
        """Return what a transaction would cost; nothing is carried out."""
        return {"gas_info": {"gas_wanted": "0", "gas_used": _GAS}, "result": {"data": "", "log": "", "events": []}}

    def broadcast(self, raw: bytes, transaction: Transaction | RefusedTx) -> Json:
        """Check a transaction and take it; code 0 is not a promise that it will be in a block."""
        name = hash_of(raw)
        try:
            if isinstance(transaction, RefusedTx):
                raise transaction
            self._take(transaction)
        except RefusedTx as refusal:
            return _checked(name, refusal)
        return {"code": 0, "data": "", "log": "[]", "codespace": "", "hash": name}

    def seen(self, raw: bytes) -> bool:
        """Return whether this very transaction was broadcast before."""
        return self._venue.chain.seen(hash_of(raw))

    def _take(self, transaction: Transaction) -> None:
        count = self._count(transaction)
        try:
            sentence = self._door.rejection(BROADCAST, transaction.kind)
            if sentence is not None:
                raise RefusedTx(12, sentence)
            self._trading.handlers[transaction.kind](transaction)
        except RefusedTx:
            count.refused += 1
            raise
        count.last_accepted_ms = count.last_ms

    def _count(self, transaction: Transaction) -> ActionCount:
        message = transaction.message
        batches = message.short_term_cancels if transaction.kind == "MsgBatchCancel" else []
        items = sum(len(batch.client_ids) for batch in batches) or 1
        return self._venue.counts.received(_owner(message), transaction.kind, items, self._venue.now_ms())


def read_broadcast(text: str) -> bytes:
    """Return the transaction of a GET (0x and hex). Raises ValueError for anything else."""
    digits = text.strip('"')
    if not digits.startswith("0x"):
        raise ValueError("tx must be hex digits after 0x")
    return bytes.fromhex(digits[2:])


def understood(raw: bytes) -> Transaction | RefusedTx:
    """Return the transaction that `raw` encodes, or why it is none."""
    try:
        return read_transaction(raw)
    except RefusedTx as refusal:
        return refusal


def rate_limited(raw: bytes) -> Json:
    """Return the answer to a transaction when the block has room for no more of its account."""
    return _checked(hash_of(raw), RefusedTx(5001, "", CLOB))


def _checked(name: str, refusal: RefusedTx) -> Json:
    return {"code": refusal.code, "data": "", "log": refusal.log, "codespace": refusal.codespace, "hash": name}


def _owner(message: Any) -> str:  # noqa: ANN401 - a message of the chain
    """Return whose subaccount a message is about; each kind keeps it elsewhere."""
    fields = message.DESCRIPTOR.fields_by_name
    if "order" in fields:
        message = message.order
        fields = message.DESCRIPTOR.fields_by_name
    holder = message.order_id if "order_id" in fields else message
    return str(holder.subaccount_id.owner)
