"""From our order to the chain's: which kind it becomes, until when it lives, and how the transaction is signed.

ccxt's own createOrder is not used. It cannot read the indexer's integers (wire.md 0.4), takes the sequence from the
machine's clock, chooses deadlines itself, sends a market order without a price with subticks 0 (wire.md 1.4), and pays
a router nobody here asked for. The messages are those it ships with, so the encoding is the chain's own.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ccxt.static_dependencies.dydx_v4_client.cosmos.crypto.secp256k1.keys_pb2 import PubKey
from ccxt.static_dependencies.dydx_v4_client.cosmos.tx.signing.v1beta1.signing_pb2 import SignMode
from ccxt.static_dependencies.dydx_v4_client.cosmos.tx.v1beta1.tx_pb2 import (
    AuthInfo,
    Fee,
    ModeInfo,
    SignDoc,
    SignerInfo,
    TxBody,
    TxRaw,
)
from ccxt.static_dependencies.dydx_v4_client.dydxprotocol.clob.order_pb2 import Order, OrderId
from ccxt.static_dependencies.dydx_v4_client.dydxprotocol.clob.tx_pb2 import MsgCancelOrder, MsgPlaceOrder
from ccxt.static_dependencies.dydx_v4_client.dydxprotocol.subaccounts.subaccount_pb2 import SubaccountId
from coincurve import PrivateKey
from google.protobuf.any_pb2 import Any as AnyMessage

from apps.exchanges.venues.dydx.config import (
    BLOCK_SECONDS,
    IMMEDIATE_BLOCKS,
    RESTING_DAYS,
    SHORT_BLOCK_WINDOW,
    STATEFUL_WINDOW_DAYS,
    SUBACCOUNT,
)
from apps.exchanges.venues.dydx.keys import address_of_public, private_key
from apps.exchanges.venues.dydx.markets import Market
from apps.exchanges.venues.dydx.names import CONDITIONAL, LONG_TERM, SHORT_TERM, ChainName
from moondev.domain.errors import NotSent
from moondev.domain.orders import OrderType, PlaceOrder, TimeInForce
from moondev.domain.values import Side

_GAS_LIMIT = 1_000_000
_DAY_SECONDS = 86_400
_TIMES = {TimeInForce.GTC: 0, TimeInForce.IOC: 1, TimeInForce.POST_ONLY: 2}
_CONDITIONS = {OrderType.STOP: 1, OrderType.TAKE_PROFIT: 2}
_MARKET_ORDER = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """When a transaction is made: the chain's last block and our time.

    `patience` is how many blocks an order gets that executes at once.
    """

    height: int
    now: datetime
    patience: int = IMMEDIATE_BLOCKS

    def last_block(self, expires_at: datetime) -> int:
        """Return the last block before `expires_at`. Raises NotSent when no block comes before it."""
        blocks = int((expires_at - self.now) / timedelta(seconds=BLOCK_SECONDS))
        if blocks < 1:
            raise NotSent(f"no block comes before {expires_at.isoformat()}")
        return self.height + min(blocks, SHORT_BLOCK_WINDOW)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message of the chain, with what the transaction around it needs.

    `last_block` is after which a block must not carry it any more; 0 when the message says so itself. `order_ends` is
    the block with which a short-term order lapses; 0 for the others.
    """

    kind: str
    message: Any
    last_block: int = 0
    order_ends: int = 0


def flags_of(order: PlaceOrder) -> int:
    """Return where the chain keeps an order: in the validators' memory, in its state, or behind a trigger."""
    if order.order_type.triggered:
        return CONDITIONAL
    return SHORT_TERM if _immediate(order) else LONG_TERM


def place(order: PlaceOrder, name: ChainName, market: Market, moment: Moment, expires_at: datetime) -> Wanted:
    """Return the message that places `order`. Raises InvalidValue off the grid, NotSent when it is too late."""
    fields: dict[str, Any] = {}
    last_block, order_ends = moment.last_block(expires_at), 0
    if name.flags == SHORT_TERM:
        last_block, order_ends = 0, min(last_block, moment.height + moment.patience)
        fields["good_til_block"] = order_ends
    else:
        # The order lives for weeks; that it must be in a block soon is said by the transaction around it.
        fields["good_til_block_time"] = _resting_until(moment.now)
    if order.trigger_price is not None:
        fields["condition_type"] = _CONDITIONS[order.order_type]
        fields["conditional_order_trigger_subticks"] = market.subticks(order.trigger_price, "trigger_price")
    signed = Order(
        order_id=_order_id(name),
        side=1 if order.side is Side.BUY else 2,
        quantums=market.quantums(order.quantity),
        subticks=market.subticks(order.price),
        time_in_force=1 if _immediate(order) else _TIMES[order.time_in_force],
        # The chain takes reduce-only from orders that cannot rest; the others go without, and we watch them.
        reduce_only=order.reduce_only and name.flags != LONG_TERM,
        client_metadata=_MARKET_ORDER if order.order_type is OrderType.MARKET else 0,
        **fields,
    )
    return Wanted("MsgPlaceOrder", MsgPlaceOrder(order=signed), last_block, order_ends)


def cancel(name: ChainName, moment: Moment) -> Wanted:
    """Return the message that cancels an order: in force for as long as the chain allows.

    A cancel that ends before its order does is taken, and does nothing.
    """
    if name.flags == SHORT_TERM:
        message = MsgCancelOrder(order_id=_order_id(name), good_til_block=moment.height + SHORT_BLOCK_WINDOW)
        return Wanted("MsgCancelOrder", message)
    until = int(moment.now.timestamp()) + (STATEFUL_WINDOW_DAYS - 1) * _DAY_SECONDS
    return Wanted("MsgCancelOrder", MsgCancelOrder(order_id=_order_id(name), good_til_block_time=until))


class TransactionSigner:
    """Signs transactions with one key. The key appears in no repr."""

    def __init__(self, key: str, chain: str) -> None:
        """Sign for `chain`. Raises Configuration when `key` is not one."""
        self._key: PrivateKey = private_key(key)
        self._public: bytes = self._key.public_key.format(compressed=True)
        self._chain = chain

    def __repr__(self) -> str:
        return f"TransactionSigner({self.address}, {self._chain})"

    @property
    def address(self) -> str:
        """Return the address of the key."""
        return address_of_public(self._public)

    @property
    def public_key(self) -> str:
        """Return the compressed public key in base64."""
        return base64.b64encode(self._public).decode()

    def signed(self, wanted: Wanted, account_number: int, nonce: int) -> bytes:
        """Return the transaction that carries `wanted`; `nonce` is a time in milliseconds that was not used before."""
        asked = AnyMessage(type_url=f"/dydxprotocol.clob.{wanted.kind}", value=wanted.message.SerializeToString())
        body = TxBody(messages=[asked], timeout_height=wanted.last_block).SerializeToString()
        key = AnyMessage(type_url="/cosmos.crypto.secp256k1.PubKey", value=PubKey(key=self._public).SerializeToString())
        mode = ModeInfo(single=ModeInfo.Single(mode=SignMode.SIGN_MODE_DIRECT))
        signer = SignerInfo(public_key=key, mode_info=mode, sequence=nonce)
        # Orders cost no gas: the fee is empty. https://docs.dydx.xyz/concepts/trading/limits
        info = AuthInfo(signer_infos=[signer], fee=Fee(gas_limit=_GAS_LIMIT)).SerializeToString()
        document = SignDoc(
            body_bytes=body, auth_info_bytes=info, chain_id=self._chain, account_number=account_number
        ).SerializeToString()
        # Recoverable is r, s and one byte more; the curve library makes s the lower of the two, as the chain demands.
        signature = self._key.sign_recoverable(hashlib.sha256(document).digest(), hasher=None)[:64]
        raw: bytes = TxRaw(body_bytes=body, auth_info_bytes=info, signatures=[signature]).SerializeToString()
        return raw


def _immediate(order: PlaceOrder) -> bool:
    """Return whether nothing of an order may rest: a market order, also one that waited for its trigger."""
    return order.order_type is not OrderType.LIMIT or order.time_in_force is TimeInForce.IOC


def _resting_until(now: datetime) -> int:
    midnight = int(now.timestamp()) // _DAY_SECONDS * _DAY_SECONDS
    return midnight + (RESTING_DAYS + 1) * _DAY_SECONDS


def _order_id(name: ChainName) -> OrderId:
    owner = SubaccountId(owner=name.owner, number=SUBACCOUNT)
    return OrderId(subaccount_id=owner, client_id=name.number, order_flags=name.flags, clob_pair_id=name.pair)
