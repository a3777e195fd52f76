"""A strategy that will not learn: it buys more of what it holds all through the fall, through the real review."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import cast

from django.db import transaction

from apps.exchanges.execution.sender import Sender
from apps.exchanges.models import InstrumentRow, Position
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import OrderEntry, orders_record
from apps.risk.exposure import ReserveItem, reserve
from apps.risk.facts import RiskFacts, load_facts
from apps.risk.review import ReviewMarket, review
from apps.risk.scenario.books import ScenarioSessions, Stage
from moondev.domain.clock import Clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import TradingError
from moondev.domain.instruments import Instrument, Rounding
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Price, Quantity, Side

# Of the capital, per try.
SHARE = Decimal("0.02")
REACH = Decimal("0.003")
VALID = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening order that the review let pass, and how old the price was that it was judged by; None: unknown."""

    at: datetime
    instrument: str
    price_age: timedelta | None


@dataclass
class Buyer:
    """Trades for one stage. `refused` counts refusals by code."""

    stage: Stage
    clock: Clock
    sessions: ScenarioSessions
    refused: Counter[str] = field(default_factory=Counter)
    openings: list[Opening] = field(default_factory=list)
    _mids: dict[str, float] = field(default_factory=dict)
    _heard: datetime | None = None
    _tries: int = 0

    def act(self) -> None:
        """Look at the market, ask for more of everything held, and send what is approved."""
        self._look()
        held = self._held()
        rows = {row.key: row for row in InstrumentRow.objects.filter(venue_id=self.stage.scope.venue)}
        rules = {key: row.to_domain() for key, row in rows.items()}
        wishes = [wish for key, position in held.items() if (wish := self._wish(position, rules[key])) is not None]
        facts = load_facts([self.stage.scope], self.clock.now())[self.stage.scope.strategy]
        market = self._market(held, rules)
        reviewed = review(wishes, market, facts)
        self.refused.update(refusal.code.value for refusal in reviewed.refused)
        # Only places were asked for.
        approved = cast("list[RiskApproved[PlaceOrder]]", reviewed.approved)
        self._send(approved, rows, rules, facts, market)

    def _look(self) -> None:
        """Take the market as the venue's stream tells it; while that is silent the old word gets older."""
        try:
            self._mids, self._heard = self.stage.client.mids(), self.clock.now()
        except TradingError:
            return

    def _held(self) -> dict[str, Position]:
        scope = self.stage.scope
        rows = Position.objects.filter(account_id=scope.account_id, strategy=scope.strategy).select_related(
            "instrument"
        )
        return {row.instrument.key: row for row in rows.order_by("pk")}

    def _wish(self, position: Position, rules: Instrument) -> PlaceOrder | None:
        """Return an order for more of a position; None where nothing is held or nothing was ever heard."""
        mid = self._mids.get(rules.symbol)
        if not position.quantity or mid is None:
            return None
        side = Side.of(position.quantity)
        middle = Decimal(str(mid))
        price = rules.price_grid.rounded(middle * (1 + side.sign * REACH), Rounding.aggressive(side))
        lots = (self.stage.scope.capital * SHARE / middle / rules.lot.value).to_integral_value(ROUND_DOWN)
        if not lots:
            return None
        self._tries += 1
        return PlaceOrder(
            client_order_id(self.stage.scope.strategy, f"more-{self._tries}", rules.symbol), rules.key, side,
            OrderType.LIMIT, TimeInForce.IOC, Quantity(lots * rules.lot.value), price, Purpose.OPENING,
            "more", rules.symbol,
        )  # fmt: skip

    def _market(self, held: dict[str, Position], rules: dict[str, Instrument]) -> ReviewMarket:
        age = None if self._heard is None else self.clock.now() - self._heard
        return ReviewMarket(
            now=self.clock.now(),
            instruments=rules,
            mids={key: self._mids.get(rule.symbol) for key, rule in rules.items()},
            ages=dict.fromkeys(rules, age),
            holdings={key: position.to_domain() for key, position in held.items()},
            account_net={key: position.quantity for key, position in held.items()},
            working=(),
        )

    def _send(
        self,
        approved: list[RiskApproved[PlaceOrder]],
        rows: dict[str, InstrumentRow],
        rules: dict[str, Instrument],
        facts: RiskFacts,
        market: ReviewMarket,
    ) -> None:
        scope, now = self.stage.scope, self.clock.now()
        items = [ReserveItem(scope, one, rules[one.request.instrument], _mid(one, market)) for one in approved]
        with transaction.atomic():
            reserved = reserve(items, {scope.strategy: facts})
            entries = [
                OrderEntry(
                    one, scope.account_id, rows[one.request.instrument].pk, scope.strategy, f"more-{self._tries}",
                    amount, now + VALID,
                )
                for one, amount in reserved.kept
            ]  # fmt: skip
            if entries:
                orders_record(entries=entries, commands=[], now=now)
        self.refused.update(refusal.code.value for refusal in reserved.refused)
        if not entries:
            return
        self.openings += [
            Opening(now, one.request.instrument, market.ages[one.request.instrument]) for one, _ in reserved.kept
        ]
        Sender(self.clock, self.sessions, "scenario").send(scope.account_id)
        reconcile_account(scope.account_id, self.sessions, self.clock)


def _mid(approved: RiskApproved[PlaceOrder], market: ReviewMarket) -> Decimal | None:
    mid = market.mids[approved.request.instrument]
    return None if mid is None else Price(Decimal(str(mid))).value
