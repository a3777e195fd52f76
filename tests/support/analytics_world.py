"""A paper account whose fills, funding and handovers are booked by the real ledger, and points of equity beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from django.db import connection

from apps.exchanges.accounts.assign import position_move
from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.accounts.funding import funding_apply
from apps.exchanges.accounts.ledger import Asset, Ledger
from apps.exchanges.models import Account, Fill, InstrumentRow, Order, Portfolio, Venue
from apps.exchanges.ports import FundingPayment
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity

D = Decimal
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Books:
    """One account with BTC and ETH; everything is booked at `at` seconds after START."""

    account: Account
    btc: InstrumentRow
    eth: InstrumentRow
    count: int = 0

    def fill(
        self,
        strategy,
        side,
        quantity,
        price,
        *,
        fee="0",
        at=0.0,
        made=False,
        slippage=None,
        instrument=None,
        order=None,
    ):
        """Book a trade as the order path does: the ledger first, then its row."""
        row, moment = instrument or self.btc, START + timedelta(seconds=at)
        ledger, asset = Ledger.opened(account_facts(self.account.pk), [row.pk]), Asset(row.pk, row.asset)
        realised = ledger.book(strategy, asset, Side(side), Quantity(D(quantity)), Price(D(price)), D(fee))
        ledger.write(moment)
        self.count += 1
        return Fill.objects.create(
            account=self.account, instrument=row, order=order, strategy=strategy, venue_trade_id=str(self.count),
            side=side, price=D(price), quantity=D(quantity), fee=D(fee), realised=realised,
            slippage=None if slippage is None else D(slippage), liquidity="maker" if made else "taker", kind="order",
            time_exchange=moment, time_received=moment,
        )  # fmt: skip

    def pay(self, amount, position, *, at=0.0, instrument=None):
        """Book a funding payment, shared out as it is in life."""
        row, moment = instrument or self.btc, START + timedelta(seconds=at)
        payment = FundingPayment(
            row.symbol, Money(D(amount), "USDC"), D(0), SignedQuantity(D(position)), moment, moment
        )
        funding_apply(account_id=self.account.pk, payments=[payment], now=moment)

    def hand(self, giver, taker, *, at=0.0, instrument=None):
        """Move a position from one owner to another."""
        row, moment = instrument or self.btc, START + timedelta(seconds=at)
        position_move(
            account_id=self.account.pk, instrument_id=row.pk, giver=giver, taker=taker, actor="test", now=moment
        )

    def order(self, strategy, quantity, filled, *, at=0.0, status="filled"):
        """Write an order that was sent and has ended."""
        moment = START + timedelta(seconds=at)
        return Order.objects.create(
            account=self.account, instrument=self.btc, strategy=strategy, client_order_id=uuid4(), side="buy",
            order_type="limit", time_in_force="gtc", quantity=D(quantity), price=D(100), filled_quantity=D(filled),
            status=status, purpose="opening", valid_until=moment, created_at=moment, updated_at=moment,
            sent_at=moment, closed_at=moment, tick_id="1",
        )  # fmt: skip


def books(currency: str = "USDC") -> Books:
    """Return an account without anything."""
    venue = Venue.objects.create(
        code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://localhost:8001/hl",
        websocket_url="ws://localhost:8001/hl/ws",
    )  # fmt: skip
    portfolio = Portfolio.objects.create(code="paper", currency=currency, environment="paper")
    account = Account.objects.create(
        code="paper-1", venue=venue, portfolio=portfolio, address="0x1", currency=currency, shared=True
    )
    rows = [
        InstrumentRow.objects.create(
            venue=venue, symbol=coin, asset=coin, quote="USDC", tick=D("0.1"), lot=D("0.001"), max_leverage=5
        )
        for coin in ("BTC", "ETH")
    ]
    return Books(account, *rows)


def keep_points(kind: str, key: str, points) -> None:
    """Write points of equity: (moment, equity, funded, growth, run) each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO risk_equityscope (kind, key, at, equity, funded, growth, run, parts)"
            " VALUES (%s, %s, %s, 1, 0, 1, 0, '{}') RETURNING id",
            (kind, key, points[-1][0]),
        )
        [number] = cursor.fetchone()
        cursor.executemany(
            "INSERT INTO risk_equitypoint (scope_id, at, equity, funded, growth, run) VALUES (%s, %s, %s, %s, %s, %s)",
            [(number, *point) for point in points],
        )
