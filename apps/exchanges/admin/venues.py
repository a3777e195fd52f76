"""Venues and instruments."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.exchanges.admin.amounts import amount_column
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import InstrumentRow, Venue


@confirmed_action(
    title="Refresh instruments from the venue",
    question="Read what these venues list and bring our instruments into line.",
    permission="change",
)
def refresh_instruments(venue: Venue, _actor: str, _reason: str) -> str:
    """Copy what the venue lists."""
    return f"{venue.code}: {instruments_refresh(venue)}"


@admin.register(Venue)
class VenueAdmin(NoDeleteAdmin[Venue]):
    """Where we trade. The environment has no default and cannot be changed once set."""

    list_display = ["code", "protocol", "environment", "rest_url", "enabled"]
    list_filter = ["environment", "protocol", "enabled"]
    search_fields = ["code", "protocol", "rest_url"]
    actions = [refresh_instruments]

    def get_readonly_fields(self, request: HttpRequest, obj: Venue | None = None) -> list[str]:
        """Freeze what orders and queues already depend on."""
        return ["code", "protocol", "environment"] if obj else []


@admin.register(InstrumentRow)
class InstrumentAdmin(NoDeleteAdmin[InstrumentRow]):
    """What a venue lists. The rules come from the venue; only `active` is ours to set."""

    list_display = [
        "key",
        "asset",
        "quote",
        amount_column("tick"),
        "significant_figures",
        amount_column("lot"),
        "max_leverage",
        "active",
    ]
    list_filter = ["venue", "active", "quote"]
    search_fields = ["symbol", "asset"]
    readonly_fields = [
        "venue",
        "symbol",
        "asset",
        "quote",
        "venue_asset_id",
        "tick",
        "significant_figures",
        "lot",
        "min_notional",
        "max_leverage",
        "max_market_quantity",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: instruments are read from the venue."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstrumentRow]:
        """Fetch the venue with each row."""
        return super().get_queryset(request).select_related("venue")
