"""What a transaction does: orders placed, replaced and cancelled.

An order that the validators keep in memory (short-term) acts at once; a stateful one is checked now and acts in the
next block, so that its acceptance promises nothing. https://docs.dydx.xyz/concepts/trading/orders
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from apps.exchanges.mock.engine.api import Ack, OrderSnapshot, RejectCode, Rejected
from apps.exchanges.mock.wire.dydx.facts import OrderFacts
from apps.exchanges.mock.wire.dydx.orders_in import (
    Moment,
    engine_order,
    good_til_of,
    owner_of,
    read_order,
    without_trigger,
)
from apps.exchanges.mock.wire.dydx.refusals import RefusedTx
from apps.exchanges.mock.wire.dydx.scales import Scale
from apps.exchanges.mock.wire.dydx.transactions import Transaction
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import FLAGS, LONG_TERM, SHORT_TERM, order_id

LARGEST_BATCH = 100
_USER = "ORDER_REMOVAL_REASON_USER_CANCELED"
_REMOVALS: Mapping[RejectCode, str] = {
    RejectCode.IOC_NO_MATCH: "ORDER_REMOVAL_REASON_IMMEDIATE_OR_CANCEL_WOULD_REST_ON_BOOK",
    RejectCode.INSUFFICIENT_MARGIN: "ORDER_REMOVAL_REASON_UNDERCOLLATERALIZED",
    RejectCode.BAD_ALO_PRICE: "ORDER_REMOVAL_REASON_POST_ONLY_WOULD_CROSS_MAKER_ORDER",
    RejectCode.REDUCE_ONLY: "ORDER_REMOVAL_REASON_REDUCE_ONLY_RESIZE",
}
# What a validator notices before it takes an order into its memory.
_AT_ONCE: Mapping[RejectCode, int] = {
    RejectCode.BAD_ALO_PRICE: 2003,
    RejectCode.REDUCE_ONLY: 2001,
    RejectCode.TOO_MANY_OPEN_ORDERS: 10001,
    RejectCode.PRICE_TOO_FAR: 12,
}
Handler = Callable[[Transaction], None]


class Trading:
    """Carries out transactions; raises RefusedTx for those the node does not take."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue, self._exchange, self._chain = venue, venue.exchange, venue.chain
        self._cancelled: dict[str, int] = {}
        self.handlers: Mapping[str, Handler] = {
            "MsgPlaceOrder": self._place,
            "MsgCancelOrder": self._cancel,
            "MsgBatchCancel": self._cancel_batch,
        }

    def _place(self, transaction: Transaction) -> None:
        order = transaction.message.order
        facts = read_order(order, self._scale(order.order_id.clob_pair_id))
        signer = self._chain.signer(transaction, facts.account)
        self._moment().require_window(facts.good_til, short_term=facts.short_term)
        if facts.short_term:
            self._require_short_term(facts.account, 1)
            self._require_new(facts)
            self._enter_at_once(facts)
            return
        signer.use(transaction.sequence, self._venue.now_ms())
        if self._venue.config.limits and not self._chain.limits.admits_stateful(facts.account, self._chain.height):
            raise RefusedTx(5001, f"stateful orders of {facts.account} in block {self._chain.height + 1}")
        self._require_new(facts)
        self._require_collateral(facts)
        self._chain.in_next_block(lambda: self._enter_in_block(facts))

    def _cancel(self, transaction: Transaction) -> None:
        message, name = transaction.message, transaction.message.order_id
        if name.order_flags not in FLAGS:
            raise RefusedTx(3000, f"invalid order flag {name.order_flags}")
        self._scale(name.clob_pair_id)
        owner, good_til = owner_of(name.subaccount_id), good_til_of(message, name.order_flags)
        signer = self._chain.signer(transaction, owner)
        short_term = name.order_flags == SHORT_TERM
        self._moment().require_window(good_til, short_term=short_term)
        wanted = order_id(owner, name.client_id, name.clob_pair_id, name.order_flags)
        if short_term:
            self._require_short_term(owner, 1)
            self._cancel_at_once(wanted, good_til)
            return
        signer.use(transaction.sequence, self._venue.now_ms())
        facts = self._venue.facts.named(wanted)
        if facts is None or not self._live(facts):
            raise RefusedTx(3006, f"order {wanted}")
        if good_til < facts.good_til:
            raise RefusedTx(29, f"GoodTilBlockTime {good_til} is before that of the order, {facts.good_til}")
        self._chain.in_next_block(lambda: self._remove(facts))

    def _cancel_batch(self, transaction: Transaction) -> None:
        message = transaction.message
        owner = owner_of(message.subaccount_id)
        self._chain.signer(transaction, owner)
        self._moment().require_window(message.good_til_block, short_term=True)
        wanted = [
            order_id(owner, client_id, batch.clob_pair_id, SHORT_TERM)
            for batch in message.short_term_cancels
            for client_id in batch.client_ids
        ]
        if not wanted or len(wanted) > LARGEST_BATCH or len(set(wanted)) != len(wanted):
            raise RefusedTx(45, f"{len(wanted)} cancels, {len(set(wanted))} of them different")
        self._require_short_term(owner, len(wanted))
        for name in wanted:
            self._cancel_at_once(name, message.good_til_block)

    def _moment(self) -> Moment:
        return Moment(self._chain.height, self._venue.blocks.time_ms(self._chain.height) // 1000)

    def _scale(self, pair: int) -> Scale:
        scale = self._venue.pairs.get(pair)
        if scale is None:
            raise RefusedTx(8, f"CLOB pair ID {pair}")
        return scale

    def _require_short_term(self, account: str, items: int) -> None:
        height = self._chain.height
        if self._venue.config.limits and not self._chain.limits.admits_short_term(account, items, height):
            raise RefusedTx(5001, f"short term orders and cancels of {account} in block {height + 1}")

    def _require_new(self, facts: OrderFacts) -> None:
        """Refuse an order that another of the same name has overtaken."""
        cancelled = self._cancelled.get(facts.id)
        if cancelled is not None and cancelled >= facts.good_til:
            raise RefusedTx(9 if facts.short_term else 3008, f"order {facts.id}")
        known = self._venue.facts.named(facts.id)
        if known is None:
            return
        order = self._venue.order(known)
        if order is not None and order.filled >= known.size:
            raise RefusedTx(24, f"order {facts.id}")
        if self._live(known) and facts.good_til <= known.good_til:
            raise RefusedTx(20 if facts.short_term else 3005, f"order {facts.id}")

    def _require_collateral(self, facts: OrderFacts) -> None:
        """Refuse a stateful order that the account could not carry; one that waits for a trigger is not looked at."""
        if facts.flags != LONG_TERM:
            return
        state = self._exchange.account_state(facts.account)
        held = next((entry.size for entry in state.positions if entry.coin == facts.coin), Decimal(0))
        closing = abs(held) if held and (held > 0) is not facts.is_buy else Decimal(0)
        opening = max(Decimal(0), facts.size - closing)
        margin = opening * self._exchange.mark(facts.coin) / self._exchange.leverage(facts.account, facts.coin)
        if margin > state.withdrawable:
            raise RefusedTx(3007, f"order {facts.id}")

    def _enter_at_once(self, facts: OrderFacts) -> None:
        answer = self._enter(facts)
        if isinstance(answer, Rejected) and answer.code in _AT_ONCE:
            raise RefusedTx(_AT_ONCE[answer.code], answer.detail)
        self._keep(facts, answer)

    def _enter_in_block(self, facts: OrderFacts) -> None:
        self._keep(facts, self._enter(facts))

    def _enter(self, facts: OrderFacts) -> Ack:
        scale = self._venue.scales[facts.coin]
        new = engine_order(facts, self._exchange.mark(facts.coin), scale.tick)
        known = self._venue.facts.named(facts.id)
        if known is not None and self._live(known):
            return self._exchange.modify(facts.account, known.oid, new)
        (answer,) = self._exchange.place(facts.account, [new])
        if isinstance(answer, Rejected) and answer.code is RejectCode.BAD_TRIGGER_PRICE:
            # The trigger has been reached already: on the chain the next block sends such an order on its way.
            (answer,) = self._exchange.place(facts.account, [without_trigger(new)])
        return answer

    def _keep(self, facts: OrderFacts, answer: Ack) -> None:
        oid = answer.oid
        if oid is None:
            return
        facts.oid, facts.height = oid, self._chain.height
        if isinstance(answer, Rejected):
            facts.removal = _REMOVALS.get(answer.code, "ORDER_REMOVAL_REASON_UNSPECIFIED")
        self._venue.facts.note(facts)
        self._venue.watch(facts)
        self._venue.counts.orders += 1

    def _cancel_at_once(self, wanted: str, good_til: int) -> None:
        self._cancelled[wanted] = max(good_til, self._cancelled.get(wanted, 0))
        facts = self._venue.facts.named(wanted)
        # A cancel that ends before its order does leaves it where it is, and nobody says so.
        if facts is not None and facts.good_til <= good_til:
            self._remove(facts)

    def _remove(self, facts: OrderFacts) -> None:
        if not self._live(facts):
            return
        facts.removal = _USER
        self._exchange.cancel(facts.account, facts.coin, facts.oid)

    def _live(self, facts: OrderFacts) -> bool:
        order: OrderSnapshot | None = self._venue.order(facts)
        return order is not None and not order.status.final
