"""POST /exchange: check who asks, then do it.

The order of the checks is the venue's as far as it shows: shape, signer, nonce, expiry, allowance.
A nonce is spent by whatever passes the signer check, refused or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from apps.exchanges.mock.engine.api import (
    Ack,
    CancelAck,
    Cancelled,
    Done,
    Filled,
    NewOrder,
    RejectCode,
    Rejected,
    Resting,
    WaitingForFill,
)
from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.wire.hyperliquid import texts
from apps.exchanges.mock.wire.hyperliquid.account_actions import AccountActions
from apps.exchanges.mock.wire.hyperliquid.envelope import Envelope, read_envelope
from apps.exchanges.mock.wire.hyperliquid.limits import STALE_EXPIRY_COST
from apps.exchanges.mock.wire.hyperliquid.nonces import InvalidNonceError
from apps.exchanges.mock.wire.hyperliquid.numbers import wire
from apps.exchanges.mock.wire.hyperliquid.orders_in import (
    MalformedError,
    coin_of,
    field,
    json_object,
    read_cloid,
    read_grouping,
    read_order,
    read_order_id,
)
from apps.exchanges.mock.wire.hyperliquid.replies import RefusedError, default, err, ok
from apps.exchanges.mock.wire.hyperliquid.signing import BadSignatureError
from apps.exchanges.mock.wire.hyperliquid.transfers import Transfers
from apps.exchanges.mock.wire.hyperliquid.venue import VENUE, ActionCount, Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

_PATH = "/exchange"
_CANCELS = frozenset({"cancel", "cancelByCloid", "scheduleCancel"})
_BATCHES: Mapping[str, str] = {
    "order": "orders",
    "cancel": "cancels",
    "cancelByCloid": "cancels",
    "batchModify": "modifies",
}
Handler: TypeAlias = Callable[[str, Json], Json]


def batch_size(action: Json) -> int:
    """Return how many orders, cancels or modifies an action carries, at least one."""
    batch = action.get(_BATCHES.get(str(action.get("type")), ""))
    return max(1, len(batch)) if isinstance(batch, list) else 1


@dataclass(frozen=True, slots=True)
class _Sender:
    signer: str
    account: str


class Actions:
    """Everything one may ask of POST /exchange."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue = venue
        self._account = AccountActions(venue)
        self._handlers: Mapping[str, Handler] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel_by_cloid,
            "modify": self._modify,
            "batchModify": self._batch_modify,
            "scheduleCancel": self._schedule_cancel,
            **self._account.handlers,
            **Transfers(venue).handlers,
        }

    def handle(self, raw: object) -> Json:
        """Do what the signed request in `raw` asks. Raises MalformedError when its shape is wrong."""
        envelope = read_envelope(raw)
        now_ms = self._venue.now_ms()
        try:
            sender = self._sender(envelope, now_ms)
        except RefusedError as refusal:
            return err(str(refusal))
        count = self._venue.records.action(sender.account, envelope.kind)
        count.received += 1
        count.items += batch_size(envelope.action)
        count.last_ms = now_ms
        return self._answer(envelope, sender, count, now_ms)

    def _answer(self, envelope: Envelope, sender: _Sender, count: ActionCount, now_ms: int) -> Json:
        try:
            self._admit(envelope, sender, now_ms)
            answer = self._perform(envelope, sender.account)
        except (RefusedError, InvalidNonceError) as refusal:
            count.refused += 1
            return err(str(refusal))
        count.last_accepted_ms = now_ms
        return answer

    def _sender(self, envelope: Envelope, now_ms: int) -> _Sender:
        try:
            signer = envelope.signer()
        except BadSignatureError as error:
            raise RefusedError(f"Unable to recover signer: {error}") from error
        if self._venue.has_account(signer):
            return _Sender(signer, signer)
        if envelope.user_signed:
            raise RefusedError(texts.must_deposit(signer))
        master = self._venue.agents.master_of(signer, now_ms)
        if master is None:
            raise RefusedError(texts.does_not_exist(signer))
        return _Sender(signer, master)

    def _admit(self, envelope: Envelope, sender: _Sender, now_ms: int) -> None:
        self._venue.nonces.use(sender.signer, envelope.nonce, now_ms)
        if envelope.vault is not None:
            raise RefusedError(f"Vault not registered: {envelope.vault.lower()}")
        if envelope.user_signed:
            _check_user_signed(envelope)
        elif envelope.expires_after is not None and envelope.expires_after < now_ms:
            self._venue.addresses.charge(sender.account, STALE_EXPIRY_COST)
            raise RefusedError(texts.EXPIRED)
        if self._venue.config.limits:
            self._check_allowance(envelope, sender.account)

    def _check_allowance(self, envelope: Envelope, account: str) -> None:
        limiter = self._venue.addresses
        admit = limiter.admit_cancel if envelope.kind in _CANCELS else limiter.admit
        refusal = admit(account, batch_size(envelope.action), self._venue.volume(account), self._venue.now_seconds())
        if refusal is not None:
            raise RefusedError(refusal)

    def _perform(self, envelope: Envelope, account: str) -> Json:
        handler = self._handlers.get(envelope.kind)
        if handler is None:
            raise RefusedError(f"Action {envelope.kind} is not available on this venue.")
        rule = self._venue.faults.strike(FaultKind.REJECT, VENUE, _PATH, envelope.kind)
        if rule is None:
            return handler(account, envelope.action)
        text = str(rule.value or "Order rejected.")
        if envelope.kind not in _BATCHES:
            raise RefusedError(text)
        return _statuses(envelope.kind, [{"error": text}] * batch_size(envelope.action))

    # trading
    def _order(self, account: str, action: Json) -> Json:
        raw = field(action, "orders", list)
        orders = [self._built(account, entry, action.get("builder")) for entry in raw]
        grouping = read_grouping(action.get("grouping"))
        acks = self._venue.exchange.place(account, orders, grouping)
        self._venue.records.accepted_orders += sum(1 for ack in acks if not isinstance(ack, Rejected))
        assets = [field(json_object(entry), "a", int) for entry in raw]
        return _statuses("order", [_ack(ack, asset) for ack, asset in zip(acks, assets, strict=True)])

    def _built(self, account: str, raw: object, builder: object) -> NewOrder:
        order = read_order(raw, self._venue.coins)
        is_spot = order.coin in self._venue.pairs
        rate = self._venue.builders.rate_ppm(account, builder, is_spot=is_spot)
        # On a spot pair only what is paid in dollars has a builder's share: sales.
        return replace(order, builder_ppm=rate) if rate and not (is_spot and order.is_buy) else order

    def _cancel(self, account: str, action: Json) -> Json:
        wanted = [
            (field(entry, "a", int), field(entry, "o", int))
            for entry in map(json_object, field(action, "cancels", list))
        ]
        return _statuses(
            "cancel",
            [
                _cancel_ack(self._venue.exchange.cancel(account, coin_of(self._venue.coins, asset), oid), asset)
                for asset, oid in wanted
            ],
        )

    def _cancel_by_cloid(self, account: str, action: Json) -> Json:
        wanted = [
            (field(entry, "asset", int), read_cloid(entry.get("cloid")))
            for entry in map(json_object, field(action, "cancels", list))
        ]
        cancel = self._venue.exchange.cancel_by_cloid
        return _statuses(
            "cancel",
            [_cancel_ack(cancel(account, coin_of(self._venue.coins, asset), cloid), asset) for asset, cloid in wanted],
        )

    def _modify_one(self, account: str, raw: Json) -> tuple[Ack, int]:
        order = json_object(raw.get("order"))
        target = read_order_id(raw.get("oid"))
        new = read_order(order, self._venue.coins)
        return self._venue.exchange.modify(account, target, new), field(order, "a", int)

    def _modify(self, account: str, action: Json) -> Json:
        ack, asset = self._modify_one(account, action)
        if isinstance(ack, Rejected):
            raise RefusedError(_modify_sentence(ack, asset))
        return default()

    def _batch_modify(self, account: str, action: Json) -> Json:
        entries = [json_object(entry) for entry in field(action, "modifies", list)]
        for entry in entries:
            read_order_id(entry.get("oid"))
            read_order(entry.get("order"), self._venue.coins)
        statuses: list[object] = []
        for entry in entries:
            ack, asset = self._modify_one(account, entry)
            refused = isinstance(ack, Rejected)
            statuses.append({"error": _modify_sentence(ack, asset)} if refused else _ack(ack, asset))
        return _statuses("order", statuses)

    def _schedule_cancel(self, account: str, action: Json) -> Json:
        required = self._venue.config.schedule_cancel_volume
        traded = self._venue.volume(account)
        if traded < required:
            raise RefusedError(texts.not_enough_volume("set scheduled cancel time", f"{required:f}", f"{traded:.2f}"))
        time_ms = action.get("time")
        if time_ms is not None:
            time_ms = field(action, "time", int)
        return _done(self._venue.exchange.schedule_cancel(account, time_ms))


def _check_user_signed(envelope: Envelope) -> None:
    if envelope.expires_after is not None:
        raise RefusedError("expiresAfter is not supported for user-signed actions.")
    signed = envelope.action.get("nonce", envelope.action.get("time"))
    if signed != envelope.nonce:
        raise RefusedError(f"Invalid nonce: {envelope.nonce} is not the signed {signed}")


def _done(result: Done | Rejected) -> Json:
    if isinstance(result, Rejected):
        raise RefusedError(texts.sentence(result))
    return default()


def _statuses(kind: str, statuses: list[object] | list[dict[str, str]]) -> Json:
    return ok({"type": "cancel" if kind in _CANCELS else "order", "data": {"statuses": statuses}})


def _ack(ack: Ack, asset: int) -> object:
    if isinstance(ack, Rejected):
        return {"error": texts.order_sentence(ack, asset)}
    if isinstance(ack, Resting):
        return {"resting": _identity(ack.oid, ack.cloid)}
    if isinstance(ack, Filled):
        filled = {"totalSz": wire(ack.total_sz), "avgPx": wire(ack.avg_px)}
        return {"filled": {**filled, **_identity(ack.oid, ack.cloid)}}
    return "waitingForFill" if isinstance(ack, WaitingForFill) else "waitingForTrigger"


def _identity(oid: int, cloid: str | None) -> Json:
    return {"oid": oid} if cloid is None else {"oid": oid, "cloid": cloid}


def _cancel_ack(ack: CancelAck, asset: int) -> object:
    return "success" if isinstance(ack, Cancelled) else {"error": texts.order_sentence(ack, asset)}


def _modify_sentence(ack: Ack, asset: int) -> str:
    if not isinstance(ack, Rejected):
        raise MalformedError("only a refusal has a sentence")
    if ack.code in {RejectCode.CANNOT_MODIFY, RejectCode.UNKNOWN_ORDER}:
        return texts.CANNOT_MODIFY
    return texts.order_sentence(ack, asset)
