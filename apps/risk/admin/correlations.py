"""Who moves like whom, to be read: the most alike first, and who shares a limit for it."""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html

from apps.exchanges.admin.amounts import DASH
from apps.exchanges.admin.readonly import ReadOnlyAdmin
from apps.exchanges.models import ScopeKind
from apps.risk.correlation.book import STALE
from apps.risk.correlation.estimate import FEWEST_SAMPLES
from apps.risk.limits import LimitBook, read_limits
from apps.risk.models import Correlated, Correlation, LimitKind
from moondev.domain.clock import process_clock

EVERYTHING = ("everything", "*")


class CorrelationList(ChangeList):
    """A page of pairs, each with the limit that it meets."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the limits once for the page."""
        super().get_results(request)
        limits, rows = read_limits(), list(self.result_list)
        for row in rows:
            row.standing = standing(row, limits)
        self.result_list = rows


@admin.register(Correlation)
class CorrelationAdmin(ReadOnlyAdmin[Correlation]):
    """Correlations as last measured. What is above the limit shares the limit of one, from the next tick on."""

    list_display = ["kind", "portfolio", "one", "other", "correlation", "samples", "at", "shares"]
    list_filter = ["kind", "portfolio"]
    search_fields = ["one", "other"]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        """Return the list that knows the limits."""
        return CorrelationList

    @admin.display(description="correlation", ordering="value")
    def correlation(self, row: Correlation) -> str:
        """Return the figure; a dash when it is not known."""
        return DASH if row.value is None else f"{row.value:.3f}"

    @admin.display(description="what follows")
    def shares(self, row: Correlation) -> str:
        """Return what the figure means for limits now."""
        return format_html("{}", cast(str, getattr(row, "standing", "")))


def standing(row: Correlation, limits: LimitBook) -> str:
    """Return in words whether the pair shares a limit, and why not when it does not."""
    if row.value is None or row.samples < FEWEST_SAMPLES:
        return f"not known: fewer than {FEWEST_SAMPLES} samples in which either moved"
    if process_clock().now() - row.at > STALE:
        return f"not known: measured more than {STALE} ago"
    limit = limits.tightest(*_bounds(row))
    if limit is None:
        return "no limit is set"
    if row.value <= float(limit):
        return f"below {limit.normalize():f}"
    return f"above {limit.normalize():f}: they share the limit of one"


def _bounds(row: Correlation) -> tuple[LimitKind, list[tuple[str, str]]]:
    """Return the kind of limit, and the scopes around both that this page can tell."""
    if row.kind == Correlated.ASSET:
        return LimitKind.ASSET_CORRELATION, [EVERYTHING]
    own = [(ScopeKind.STRATEGY.value, name) for name in (row.one, row.other)]
    return LimitKind.STRATEGY_CORRELATION, [EVERYTHING, (ScopeKind.PORTFOLIO.value, row.portfolio), *own]
