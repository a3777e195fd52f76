"""Desks: what orders by hand may risk."""

from __future__ import annotations

from django.contrib import admin

from apps.exchanges.admin.amounts import PlainAmountsForm, amount_column
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.strategies.models import Desk


@admin.register(Desk)
class DeskAdmin(NoDeleteAdmin[Desk]):
    """One an account. Without one people may only reduce there; set its capital to 0 rather than removing it."""

    form = PlainAmountsForm[Desk]
    list_display = ["account", amount_column("capital"), "leverage"]
    list_select_related = ["account"]
