"""Orders with a history, as the trading path would have left them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from apps.exchanges.models import Account, Fill, InstrumentRow, Order, OrderEvent, Position

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
PASSWORD = "operate-carefully"
LIFE = (("", "created"), ("created", "approved"), ("approved", "sending"), ("sending", "open"), ("open", "filled"))


def texts(page, selector):
    """Return the texts of everything that `selector` finds, once there is something."""
    page.locator(selector).first.wait_for()
    return [" ".join(text.split()) for text in page.locator(selector).all_inner_texts()]


def messages(page):
    return " | ".join(texts(page, ".messagelist li"))


def confirm(page, reason=None):
    """Answer the question of an action."""
    if reason is not None:
        page.fill("#id_reason", reason)
    page.click(".confirm input[type=submit]")


def filled_order(strategy="turtle-btc", quantity="0.25", price="107250"):
    """Write an order that was filled, its history, its fill and the position."""
    account, instrument = Account.objects.get(), InstrumentRow.objects.get(symbol="BTC")
    amount, cost = Decimal(quantity), Decimal(quantity) * Decimal(price)
    order = _order(account, instrument, strategy, status="filled", quantity=amount, price=Decimal(price))
    for step, (before, after) in enumerate(LIFE):
        at = NOW + timedelta(milliseconds=7 * step)
        OrderEvent.objects.create(order=order, at=at, source="sender", status_from=before, status_to=after)
    Fill.objects.create(
        account=account, instrument=instrument, order=order, strategy=strategy, venue_trade_id="t1", side="buy",
        price=order.price, quantity=amount, fee=cost * Decimal("0.00045"), liquidity="taker", kind="order",
        time_exchange=NOW, time_received=NOW,
    )  # fmt: skip
    Position.objects.create(
        account=account, instrument=instrument, strategy=strategy, quantity=amount, cost=cost,
        realised=Decimal("125.5"), fees=cost * Decimal("0.00045"), updated_at=NOW,
    )  # fmt: skip
    return order


def refused_order(strategy="turtle-btc"):
    """Write an order that risk refused."""
    account, instrument = Account.objects.get(), InstrumentRow.objects.get(symbol="BTC")
    order = _order(account, instrument, strategy, status="refused", quantity=Decimal(3), price=Decimal(107_000))
    Order.objects.filter(pk=order.pk).update(
        refusal_code="NOTIONAL_EXCEEDS_MAXIMUM", refusal_limit="max_notional=50000", refusal_value="notional=321000"
    )
    return order


def _order(account, instrument, strategy, *, status, quantity, price):
    return Order.objects.create(
        account=account, instrument=instrument, strategy=strategy, tick_id="1", client_order_id=uuid4(), side="buy",
        order_type="limit", time_in_force="ioc", purpose="opening", quantity=quantity, price=price, status=status,
        filled_quantity=quantity if status == "filled" else 0, valid_until=NOW + timedelta(seconds=5),
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
