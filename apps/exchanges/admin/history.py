"""What happened to money, to be read."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.readonly import ReadOnlyAdmin, plain
from apps.exchanges.models import (
    EquityMark,
    ExposureCounter,
    Fill,
    FundingPayment,
    Position,
    Transfer,
)


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin[Fill]):
    """Our trades, newest first. One without an order is an orphan and wants attention."""

    list_display = [
        "time_exchange",
        "strategy",
        "instrument",
        "side",
        "show_quantity",
        "show_price",
        "show_fee",
        "show_realised",
        "liquidity",
        "kind",
        "order",
    ]
    list_filter = ["account", "instrument", "side", "liquidity", "kind", ("order", admin.EmptyFieldListFilter)]
    search_fields = ["strategy", "venue_trade_id", "venue_order_id"]
    date_hierarchy = "time_exchange"
    ordering = ["-id"]
    list_select_related = ["instrument", "order"]

    @admin.display(description="quantity", ordering="quantity")
    def show_quantity(self, fill: Fill) -> str:
        """Return the size without trailing zeros."""
        return plain(fill.quantity)

    @admin.display(description="price", ordering="price")
    def show_price(self, fill: Fill) -> str:
        """Return the price without trailing zeros."""
        return plain(fill.price)

    @admin.display(description="fee", ordering="fee")
    def show_fee(self, fill: Fill) -> str:
        """Return the fee without trailing zeros."""
        return plain(fill.fee)

    @admin.display(description="realised", ordering="realised")
    def show_realised(self, fill: Fill) -> str:
        """Return the booked profit without trailing zeros."""
        return plain(fill.realised)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin[Position]):
    """What each strategy holds."""

    list_display = ["strategy", "account", "instrument", "show_quantity", "entry", "show_realised", "show_fees"]
    list_filter = ["account", "strategy", "instrument"]
    search_fields = ["strategy", "instrument__symbol"]
    list_select_related = ["instrument", "account"]

    @admin.display(description="quantity", ordering="quantity")
    def show_quantity(self, position: Position) -> str:
        """Return the signed size without trailing zeros."""
        return plain(position.quantity)

    @admin.display(description="entry price")
    def entry(self, position: Position) -> str:
        """Return the average entry price, rounded for the eye."""
        price = position.to_domain().entry_price
        return plain(None if price is None else round(price.value, 6))

    @admin.display(description="realised", ordering="realised")
    def show_realised(self, position: Position) -> str:
        """Return the realised profit before fees."""
        return plain(position.realised)

    @admin.display(description="fees", ordering="fees")
    def show_fees(self, position: Position) -> str:
        """Return the fees paid."""
        return plain(position.fees)


@admin.register(EquityMark)
class EquityMarkAdmin(ReadOnlyAdmin[EquityMark]):
    """What accounts were worth, by the venue and by our ledger."""

    list_display = ["taken_at", "account", "venue_equity", "ledger_equity", "unrealised", "margin_used"]
    list_filter = ["account"]
    ordering = ["-id"]
    list_select_related = ["account"]


@admin.register(ExposureCounter)
class ExposureCounterAdmin(ReadOnlyAdmin[ExposureCounter]):
    """How much of each exposure limit is in use."""

    list_display = ["scope_kind", "scope_key", "asset", "used"]
    list_filter = ["scope_kind", "asset"]
    search_fields = ["scope_key"]


@admin.register(FundingPayment)
class FundingPaymentAdmin(ReadOnlyAdmin[FundingPayment]):
    """Funding booked."""

    list_display = ["paid_at", "account", "instrument", "amount", "position_quantity"]
    list_filter = ["account", "instrument"]
    list_select_related = ["account", "instrument"]


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin[Transfer]):
    """Deposits and withdrawals booked."""

    list_display = ["at", "account", "amount", "reference"]
    list_filter = ["account"]
    search_fields = ["reference"]
