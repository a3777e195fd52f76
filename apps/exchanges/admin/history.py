"""What happened to money, to be read."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.amounts import amount_column, moment_column, plain
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.exchanges.models import (
    EquityMark,
    ExposureCounter,
    Fill,
    FundingPayment,
    Position,
)


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin[Fill]):
    """Our trades, newest first. One without an order is an orphan and wants attention."""

    list_display = [
        moment_column("time_exchange"),
        "strategy",
        "instrument",
        "side",
        *(amount_column(name) for name in ("quantity", "price", "fee", "realised")),
        "liquidity",
        "kind",
        "order",
    ]
    list_filter = ["account", "instrument", "side", "liquidity", "kind", ("order", admin.EmptyFieldListFilter)]
    search_fields = ["strategy", "venue_trade_id", "venue_order_id"]
    date_hierarchy = "time_exchange"
    ordering = ["-id"]
    list_select_related = ["instrument", "order"]


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin[Position]):
    """What each strategy holds."""

    list_display = [
        *("strategy", "account", "instrument"),
        amount_column("quantity"),
        "entry",
        *(amount_column(name) for name in ("realised", "fees", "funding")),
        "updated_at",
    ]
    list_filter = ["account", "strategy", "instrument"]
    search_fields = ["strategy", "instrument__symbol"]
    list_select_related = ["instrument", "account"]

    @admin.display(description="entry price")
    def entry(self, position: Position) -> str:
        """Return the average entry price, rounded for the eye."""
        price = position.to_domain().entry_price
        return plain(None if price is None else round(price.value, 6))


@admin.register(EquityMark)
class EquityMarkAdmin(ReadOnlyAdmin[EquityMark]):
    """What accounts were worth, by the venue and by our ledger."""

    list_display = [
        *("taken_at", "account"),
        *(amount_column(name) for name in ("venue_equity", "ledger_equity", "unrealised", "margin_used")),
    ]
    list_filter = ["account"]
    ordering = ["-id"]
    list_select_related = ["account"]


@admin.register(ExposureCounter)
class ExposureCounterAdmin(ReadOnlyAdmin[ExposureCounter]):
    """How much of each exposure limit is in use."""

    list_display = ["scope_kind", "scope_key", "asset", amount_column("used")]
    list_filter = ["scope_kind", "asset"]
    search_fields = ["scope_key"]


@admin.register(FundingPayment)
class FundingPaymentAdmin(ReadOnlyAdmin[FundingPayment]):
    """Funding booked."""

    list_display = ["paid_at", "account", "instrument", amount_column("amount"), amount_column("position_quantity")]
    list_filter = ["account", "instrument"]
    list_select_related = ["account", "instrument"]
