"""The kill switch page: what every voice says, and the steps for every scope."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from apps.exchanges.execution.gate import strictest
from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.models import Account, Environment, Portfolio, ScopeKind, TradingMode, TradingState, Venue
from apps.risk import stopping, vetoes
from apps.risk.admin.steps import ABANDON, DRILL, OPEN_STEPS, STEPS, Step, Urgency, may_veto, scope_text
from apps.risk.models import Allocation
from apps.risk.scope import ScopeId, parse_scope
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError

# A portfolio or account that nobody has released is halted; other scopes are silent until somebody speaks.
DRILLS_SHOWN = 5
ANSWERS = MappingProxyType({"confirm": stopping.release_confirm, "withdraw": stopping.release_withdraw})
HALTED_UNSAID = frozenset({ScopeKind.PORTFOLIO.value, ScopeKind.ACCOUNT.value})


@dataclass(frozen=True, slots=True)
class Line:
    """One scope as the page shows it: what binds it, what SQL says and why, and what can be done."""

    scope: ScopeId
    mode: TradingMode
    state: TradingState | None
    nudge: TradingMode | None
    steps: tuple[Step, ...]

    @property
    def key(self) -> str:
        """Return the scope as addresses spell it."""
        return ":".join(self.scope)

    @property
    def text(self) -> str:
        """Return the scope as people read it."""
        return scope_text(self.scope)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show the mode of every scope, the halts under way, and the buttons."""
    if not request.user.has_perm("exchanges.view_tradingstate"):
        raise PermissionDenied
    status = vetoes.status()
    everything, *others = lines(status)
    now = process_clock().now()
    context = {
        **admin.site.each_context(request),
        "title": "Kill switch",
        "everything": everything,
        "lines": others,
        "status": status,
        "may_veto": may_veto(request),
        "waiting": stopping.releases_waiting(now),
        "drills": stopping.DrillRun.objects.all()[:DRILLS_SHOWN],
    }
    return TemplateResponse(request, "admin/kill_switch.html", context)


@require_POST
def answer(request: HttpRequest, request_id: int, word: str) -> HttpResponse:
    """Agree to another person's release, or take a release back."""
    if not may_veto(request):
        raise PermissionDenied
    deed = ANSWERS.get(word)
    if deed is None:
        raise Http404(f"answer is {word!r}; allowed: {', '.join(ANSWERS)}")
    try:
        asked = deed(request_id=request_id, actor=request.user.get_username(), now=process_clock().now())
        messages.success(request, f"{scope_text((asked.scope_kind, asked.scope_key))}: {asked.get_state_display()}")
    except TradingError as error:
        messages.error(request, f"{word} release {request_id}: {error}")
    return redirect("admin:kill_switch")


def change(request: HttpRequest, step_name: str) -> HttpResponse:
    """Ask before a step on the scope in the query; take it when the answer comes with a reason."""
    if not may_veto(request):
        raise PermissionDenied
    step, scope = STEPS.get(step_name), _scope(request)
    if step is None:
        raise Http404(f"step is {step_name!r}; allowed: {', '.join(STEPS)}")
    reason = request.POST.get("reason", "").strip()
    urgency = request.POST.get("urgency", Urgency.BRISK)
    if urgency not in Urgency.values:
        raise Http404(f"urgency is {urgency!r}; allowed: {', '.join(Urgency.values)}")
    if request.method == "POST" and reason:
        return _take(request, step, scope, reason, Urgency(urgency))
    if request.method == "POST":
        messages.error(request, "reason is empty; allowed: a sentence that says why")
    context = {
        **admin.site.each_context(request),
        "title": f"{step.title}: {scope_text(scope)}",
        "step": step,
        "scope": scope_text(scope),
        "urgencies": Urgency.choices,
        "urgency": urgency,
    }
    return TemplateResponse(request, "admin/kill_switch_step.html", context)


def lines(status: vetoes.Status) -> list[Line]:
    """Return a line for everything and for each scope there is, widest first."""
    states = {(state.scope_kind, state.scope_key): state for state in status.states}
    nudges = dict(status.redis)
    scopes = dict.fromkeys([*_known_scopes(), *states, *nudges])
    paper = _on_paper()
    return [_line(scope, status, states.get(scope), nudges.get(scope), drillable=scope in paper) for scope in scopes]


def _line(
    scope: ScopeId, status: vetoes.Status, state: TradingState | None, nudge: TradingMode | None, *, drillable: bool
) -> Line:
    unsaid = TradingMode.HALTED if scope[0] in HALTED_UNSAID else TradingMode.ACTIVE
    own = unsaid if state is None else TradingMode(state.mode)
    machine = status.halt_file if scope == EVERYTHING else TradingMode.ACTIVE
    mode = strictest([own, machine, *([] if nudge is None else [nudge])])
    under_way = any((veto.scope_kind, veto.scope_key) == scope for veto in status.unfinished)
    more = [ABANDON] if under_way else []
    more += [DRILL] if drillable and mode is TradingMode.ACTIVE else []
    return Line(scope, mode, state, nudge, (*OPEN_STEPS[mode], *more))


def _on_paper() -> frozenset[ScopeId]:
    """Return the accounts and portfolios whose money is not real: what may be drilled."""
    accounts = Account.objects.filter(venue__environment=Environment.PAPER).values_list("code", flat=True)
    portfolios = Portfolio.objects.filter(environment=Environment.PAPER).values_list("code", flat=True)
    named = ((ScopeKind.ACCOUNT, accounts), (ScopeKind.PORTFOLIO, portfolios))
    return frozenset((kind.value, code) for kind, codes in named for code in codes)


def _known_scopes() -> list[ScopeId]:
    named = (
        (ScopeKind.PORTFOLIO, Portfolio.objects.order_by("code").values_list("code", flat=True)),
        (ScopeKind.VENUE, Venue.objects.order_by("code").values_list("code", flat=True)),
        (ScopeKind.ACCOUNT, Account.objects.order_by("code").values_list("code", flat=True)),
        (ScopeKind.STRATEGY, Allocation.objects.order_by("strategy").values_list("strategy", flat=True)),
    )
    return [EVERYTHING, *((kind.value, key) for kind, keys in named for key in keys)]


def _scope(request: HttpRequest) -> ScopeId:
    try:
        return parse_scope(request.GET.get("scope", ""))
    except InvalidValue as error:
        raise Http404(str(error)) from error


def _take(request: HttpRequest, step: Step, scope: ScopeId, reason: str, urgency: Urgency) -> HttpResponse:
    try:
        messages.success(request, step.take(scope, actor=request.user.get_username(), reason=reason, urgency=urgency))
    except TradingError as error:
        messages.error(request, f"{step.title} {scope_text(scope)}: {error}")
    return redirect("admin:kill_switch")
