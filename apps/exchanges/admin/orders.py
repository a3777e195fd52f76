"""Orders with their whole life, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html

from apps.exchanges.admin.readonly import ReadOnlyAdmin, ReadOnlyInline, plain
from apps.exchanges.models import Fill, Order, OrderCommand, OrderEvent

GOOD, WAITING, BAD = "#2e7d32", "#b26a00", "#c62828"
COLOURS = {"filled": GOOD, "open": GOOD, "refused": BAD, "rejected": BAD, "unknown": BAD}


class EventInline(ReadOnlyInline[OrderEvent]):
    """Every step, in the order it happened."""

    model = OrderEvent
    fields = readonly_fields = ("at", "status_from", "status_to", "source", "time_exchange", "detail")


class CommandInline(ReadOnlyInline[OrderCommand]):
    """Cancels and amends of the order."""

    model = OrderCommand
    fields = readonly_fields = ("created_at", "kind", "status", "remaining", "price", "sent_at", "done_at", "reason")


class FillInline(ReadOnlyInline[Fill]):
    """Fills of the order."""

    model = Fill
    fields = readonly_fields = ("time_exchange", "price", "quantity", "fee", "liquidity", "realised", "venue_trade_id")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    """Orders, newest first."""

    list_display = [
        "id",
        "created_at",
        "strategy",
        "instrument",
        "side",
        "show_quantity",
        "show_price",
        "order_type",
        "purpose",
        "show_status",
        "show_filled",
        "refusal_code",
    ]
    list_filter = ["status", "purpose", "order_type", "side", "account", "instrument", "refusal_code"]
    search_fields = ["strategy", "client_order_id", "venue_order_id", "tick_id", "signal_id"]
    date_hierarchy = "created_at"
    ordering = ["-id"]
    list_select_related = ["instrument", "account"]
    inlines = [EventInline, CommandInline, FillInline]

    @admin.display(description="quantity", ordering="quantity")
    def show_quantity(self, order: Order) -> str:
        """Return the size without trailing zeros."""
        return plain(order.quantity)

    @admin.display(description="price", ordering="price")
    def show_price(self, order: Order) -> str:
        """Return the price without trailing zeros."""
        return plain(order.price)

    @admin.display(description="filled", ordering="filled_quantity")
    def show_filled(self, order: Order) -> str:
        """Return the filled size without trailing zeros."""
        return plain(order.filled_quantity)

    @admin.display(description="status", ordering="status")
    def show_status(self, order: Order) -> str:
        """Return the status in the colour of how much it wants attention."""
        colour = COLOURS.get(order.status, WAITING)
        return format_html('<b style="color:{}">{}</b>', colour, order.get_status_display())
