"""Admin pages that show and never change: history is evidence."""

from __future__ import annotations

from typing import Generic, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

M = TypeVar("M", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[M], Generic[M]):
    """No adding, no changing, no deleting; everything else as usual."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from the trading path."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: what happened is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: what happened is not removed."""
        return False


class ReadOnlyInline(admin.TabularInline[M, Model], Generic[M]):
    """Rows beneath their parent, to be read."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False


class NoDeleteAdmin(admin.ModelAdmin[M], Generic[M]):
    """Rows that orders and fills refer to: they are switched off, not removed."""

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: history refers to this row."""
        return False
