"""Orders with everything that happened to them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.utils.html import format_html

from apps.exchanges.admin.amounts import amount_column, moment_column
from apps.exchanges.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from apps.exchanges.models import Fill, Order, OrderCommand, OrderEvent
from moondev.domain.orders import OrderStatus

GOOD, BAD = "good", "bad"
TONES = {
    OrderStatus.FILLED.value: GOOD,
    OrderStatus.OPEN.value: GOOD,
    OrderStatus.PARTIALLY_FILLED.value: GOOD,
    OrderStatus.REFUSED.value: BAD,
    OrderStatus.REJECTED.value: BAD,
    OrderStatus.UNKNOWN.value: BAD,
    OrderStatus.CANCELLED.value: "calm",
    OrderStatus.EXPIRED.value: "calm",
}
AMOUNTS = [amount_column(name) for name in ("quantity", "filled_quantity", "price")]

FIELDSETS: Any = [
    (None, {"fields": ["show_status", "reason", "strategy", "account", "instrument", "tick_id", "signal_id"]}),
    (
        "What was ordered",
        {
            "fields": [
                *("side", "order_type", "time_in_force", "purpose"),
                *(amount_column(name) for name in ("quantity", "price", "trigger_price", "arrival_price")),
                "triggered",
            ],
            "classes": ["two-columns"],
        },
    ),
    (
        "What came of it",
        {
            "fields": [
                *(amount_column(name) for name in ("filled_quantity", "filled_notional", "venue_filled", "reserved")),
                *("venue_status", "refusal_code", "refusal_value", "refusal_limit"),
            ],
            "classes": ["two-columns"],
        },
    ),
    (
        "Names and times",
        {
            "fields": [
                *("client_order_id", "venue_order_id", "claimed_by", "fence"),
                *(
                    moment_column(name)
                    for name in ("created_at", "valid_until", "sent_at", "acknowledged_at", "closed_at", "updated_at")
                ),
            ],
            "classes": ["two-columns"],
        },
    ),
]


class EventInline(ReadOnlyInline[OrderEvent]):
    """Every step, in the order it happened."""

    model = OrderEvent
    verbose_name_plural = "history"
    fields = readonly_fields = (
        moment_column("at"),
        "status_from",
        "status_to",
        "source",
        moment_column("time_exchange"),
        "detail",
    )


class CommandInline(ReadOnlyInline[OrderCommand]):
    """Cancels and amends of the order."""

    model = OrderCommand
    verbose_name_plural = "cancels and amends"
    fields = readonly_fields = (
        moment_column("created_at"),
        "kind",
        "status",
        amount_column("remaining"),
        amount_column("price"),
        moment_column("sent_at"),
        moment_column("done_at"),
        "reason",
    )


class FillInline(ReadOnlyInline[Fill]):
    """Fills of the order."""

    model = Fill
    fields = readonly_fields = (
        moment_column("time_exchange"),
        *(amount_column(name) for name in ("price", "quantity", "fee", "realised")),
        "liquidity",
        "venue_trade_id",
    )


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    """Orders, newest first."""

    list_display = (
        "id",
        moment_column("created_at"),
        "strategy",
        "instrument",
        "side",
        "show_status",
        *AMOUNTS,
        "order_type",
        "purpose",
        "refusal_code",
    )
    list_filter = ["status", "purpose", "order_type", "side", "account", "instrument", "refusal_code"]
    search_fields = ["strategy", "client_order_id", "venue_order_id", "tick_id", "signal_id"]
    date_hierarchy = "created_at"
    ordering = ["-id"]
    list_select_related = ["instrument", "account"]
    inlines = [EventInline, FillInline, CommandInline]
    fieldsets = FIELDSETS
    readonly_fields = flatten_fieldsets(FIELDSETS)

    @admin.display(description="status", ordering="status")
    def show_status(self, order: Order) -> str:
        """Return the status in the colour of how much it wants attention."""
        tone = TONES.get(order.status, "wait")
        return format_html('<span class="word word-{}">{}</span>', tone, order.get_status_display())
