"""Strategies: set up with typed forms, steered with confirmed actions, saved through the services."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timesince import timeuntil

from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.exchanges.models import TradingMode
from apps.risk.admin.badges import mode_badge
from apps.risk.admin.steps import VetoPermission
from apps.strategies.admin.actions import ACTIONS, useful_steps
from apps.strategies.admin.forms import MONEY, TIMING, AddStrategyForm, StrategyForm, change_form
from apps.strategies.admin.overview import Overview, next_due, outcome, overviews, state_of
from apps.strategies.admin.parameter_fields import PREFIX
from apps.strategies.admin.sources import code_badge
from apps.strategies.admin.stage_page import STAGE_PAGE, stage_colour, stage_page
from apps.strategies.models import Stage, StrategyEvent, StrategyRow
from apps.strategies.registry import strategy_class, strategy_names
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError

MOST_TICKS = 20
WHOLE_PAGE = {"classes": ["wide-block"]}
# What a strategy is and how it does, at the top of its page.
SUMMARY = (
    "slug", "kind", "account", "show_state", "show_stage", "last_tick", "due_next", "position", "realised",
)  # fmt: skip


class StrategyList(ChangeList):
    """A page of strategies with how each is doing."""

    def get_results(self, request: HttpRequest) -> None:
        """Gather the overviews of the page at once."""
        super().get_results(request)
        rows = list(self.result_list)
        found = overviews(rows)
        for row in rows:
            _remember(row, found[row.pk])
        # The page walks over these very rows, not over a query of its own.
        self.result_list = rows


class RunningFilter(admin.SimpleListFilter):
    """Whether a strategy runs."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401  Django's
        """Offer the words of the list."""
        return [(word, word) for word in ("enabled", "paused", "disabled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StrategyRow]) -> QuerySet[StrategyRow]:
        """Return the strategies in the chosen state."""
        match self.value():
            case "enabled":
                return queryset.filter(enabled=True, paused_reason="")
            case "paused":
                return queryset.filter(enabled=True).exclude(paused_reason="")
            case "disabled":
                return queryset.filter(enabled=False)
        return queryset


@admin.register(StrategyRow)
class StrategyAdmin(VetoPermission, NoDeleteAdmin[StrategyRow]):
    """Strategies. A new one is disabled until somebody enables it."""

    list_display = ["slug", "show_state", "show_stage", "last_tick", "due_next", "position", "realised", "account"]
    list_filter = [RunningFilter, "stage", "kind", "account", "instruments"]
    search_fields = ["slug", "kind", "account__code", "paused_reason"]
    list_select_related = ["account"]
    list_per_page = 50
    ordering = ["slug"]
    actions = ACTIONS
    change_form_template = "admin/strategies/strategy_change_form.html"

    def has_backtest_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may start backtests."""
        return bool(request.user.has_perm("strategies.add_backtestrun"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page of a strategy's stage."""
        page = self.admin_site.admin_view(partial(stage_page, self))
        return [path("<int:pk>/stage/", page, name=STAGE_PAGE), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ANN401  Django's
        """Return the list that knows how its strategies are doing."""
        return StrategyList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> StrategyRow | None:
        """Fetch a strategy with how it is doing."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            _remember(row, overviews([row])[row.pk])
        return row

    def get_form(
        self,
        request: HttpRequest,
        obj: StrategyRow | None = None,
        change: bool = False,  # noqa: FBT001, FBT002  Django's
        **kwargs: Any,  # noqa: ANN401  any value
    ) -> type[ModelForm[StrategyRow]]:
        """Return the form with one typed field per parameter of the strategy."""
        form: type[StrategyForm] = AddStrategyForm
        if obj is not None:
            form = change_form(obj.kind) if self._editable(request, obj) else StrategyForm
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form})

    def get_fieldsets(self, request: HttpRequest, obj: StrategyRow | None = None) -> Any:  # noqa: ANN401  Django's
        """Lay out the page: what it is, when, with what money, its rules, what it did."""
        timing = ("When it ticks", {"fields": list(TIMING), "classes": ["two-columns"]})
        money = ("Money and prices", {"fields": list(MONEY), "classes": ["two-columns"]})
        if obj is None:
            return [(None, {"fields": ["slug", "idea", "account", "instruments", "accounts_abroad"]}), timing, money]
        parameters: list[str] = ["show_parameters"]
        if self._editable(request, obj):
            parameters = [PREFIX + name for name in strategy_class(obj.kind).parameters.model_fields]
        return [
            (None, {"fields": [*SUMMARY, "instruments"], "classes": ["two-columns"]}),
            timing,
            money,
            ("Parameters", {"fields": parameters, "classes": ["two-columns"]}),
            ("Latest ticks", {"fields": ["latest_ticks"], **WHOLE_PAGE}),
            ("Events", {"fields": ["latest_events"], **WHOLE_PAGE}),
            ("What it remembers", {"fields": ["memory"], "classes": ["collapse", "wide-block"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: StrategyRow | None = None) -> list[str]:
        """Freeze what orders already depend on; show the rest of the story."""
        if obj is None:
            return []
        return [*SUMMARY, "latest_ticks", "latest_events", "memory", "show_parameters"]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401  Django's
        """Tell what stood in the way when a save failed after its rehearsal: somebody else was faster."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except TradingError as error:
            messages.error(request, f"Nothing was saved: {error}")
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: StrategyRow, form: Form, change: Any) -> None:  # noqa: ANN401
        """Save through the services, in the operator's name."""
        if isinstance(form, StrategyForm):
            obj.pk = form.carry_out(request.user.get_username()).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:  # noqa: ANN401
        """Leave the instruments to the services."""

    def response_add(
        self, request: HttpRequest, obj: StrategyRow, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the parameters."""
        messages.success(request, f"Created {obj.slug}. Check its parameters, then enable it.")
        return HttpResponseRedirect(reverse("admin:strategies_strategyrow_change", args=[obj.pk]))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,  # noqa: ANN401  Django's
        **kwargs: Any,  # noqa: ANN401  any value
    ) -> HttpResponse:
        """Offer the actions of the list on the page of one strategy too."""
        row, actions = context.get("original"), self.get_actions(request) or {}
        if isinstance(row, StrategyRow):
            useful = useful_steps(row, _overview(row).mode)
            context["steps"] = [(name, action[2]) for name, action in actions.items() if action and name in useful]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="state", ordering="enabled")
    def show_state(self, row: StrategyRow) -> str:
        """Return whether it runs, why it is paused, its halt if it has one, and what is wrong with its code."""
        halt = _overview(row).mode
        badge = mode_badge(halt) if halt is not TradingMode.ACTIVE else ""
        template = '<span class="state state-{0}">{0}</span> {2} {3} <span class="quiet">{1}</span>'
        code = _overview(row).code
        return format_html(template, state_of(row), row.paused_reason, badge, code_badge(code) if code else "")

    @admin.display(description="stage", ordering="stage")
    def show_stage(self, row: StrategyRow) -> str:
        """Return how far it has come, with the way to the gates before it."""
        url = reverse(f"admin:{STAGE_PAGE}", args=[row.pk])
        template = '<a class="word word-{}" href="{}">{}</a>'
        return format_html(template, stage_colour(row), url, Stage(row.stage).value.replace("_", " "))

    @admin.display(description="last tick")
    def last_tick(self, row: StrategyRow) -> str:
        """Return when it last decided and what came of it."""
        tick = _overview(row).last_tick
        if tick is None:
            return "never"
        template = '<a href="{}">{}</a> <span class="tick tick-{}">{}</span> <span class="quiet">{}</span>'
        url = reverse("admin:strategies_tick_change", args=[tick.pk])
        return format_html(template, url, f"{tick.due_at:%H:%M:%S}", tick.status, tick.status, outcome(tick)[:120])

    @admin.display(description="next due")
    def due_next(self, row: StrategyRow) -> str:
        """Return when it decides next."""
        now = process_clock().now()
        due = next_due(row, now)
        if due is not None:
            return f"in {timeuntil(due, now)}" if (due - now).total_seconds() >= 60 else f"{due:%H:%M:%S}"
        return "when the book moves" if state_of(row) == "enabled" else "not scheduled"

    @admin.display(description="position")
    def position(self, row: StrategyRow) -> str:
        """Return what it holds."""
        return ", ".join(_overview(row).holdings) or "flat"

    @admin.display(description="realised")
    def realised(self, row: StrategyRow) -> str:
        """Return what it has earned, after fees and funding."""
        return f"{_overview(row).realised:,}"

    @admin.display(description="")
    def latest_ticks(self, row: StrategyRow) -> str:
        """Return its latest ticks with what was decided."""
        ticks = [(tick, outcome(tick)) for tick in row.ticks.order_by("-pk")[:MOST_TICKS]]
        return render_to_string("admin/strategies/latest_ticks.html", {"ticks": ticks, "strategy": row})

    @admin.display(description="")
    def latest_events(self, row: StrategyRow) -> str:
        """Return its latest events."""
        events = StrategyEvent.objects.filter(strategy=row.slug)[:MOST_TICKS]
        return render_to_string("admin/strategies/latest_events.html", {"events": events, "strategy": row})

    @admin.display(description="")
    def memory(self, row: StrategyRow) -> str:
        """Return what it remembers from tick to tick."""
        return render_to_string("admin/strategies/values.html", {"values": row.state})

    @admin.display(description="")
    def show_parameters(self, row: StrategyRow) -> str:
        """Return the parameters for those who may only look."""
        return render_to_string("admin/strategies/values.html", {"values": row.parameters})

    def _editable(self, request: HttpRequest, row: StrategyRow) -> bool:
        return self.has_change_permission(request, row) and row.kind in strategy_names()


def _remember(row: StrategyRow, overview: Overview) -> None:
    row.__dict__["overview"] = overview


def _overview(row: StrategyRow) -> Overview:
    return cast(Overview, row.__dict__.get("overview") or Overview())
