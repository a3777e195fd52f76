"""Proposals of capital: made by adding one, carried out or put away by an action that asks first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html, format_html_join

from apps.exchanges.admin.amounts import amount_column
from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.risk.allocation.proposal import Terms
from apps.risk.allocation.weights import AllocationMethod
from apps.risk.models import AllocationProposal
from apps.strategies.allocating import allocation_apply, allocation_drop, allocation_propose
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError

USUAL = Terms()
TERMS = ("method", "most_share", "damping", "least_change", "fewest_samples")


class ProposalForm(forms.ModelForm[AllocationProposal]):
    """What is to be proposed, and by which terms."""

    method = forms.ChoiceField(choices=[(one.value, one.value.replace("_", " ")) for one in AllocationMethod])
    budget = forms.DecimalField(
        required=False, help_text="What all may have together; empty: what they have now. Never above the equity."
    )
    most_share = forms.FloatField(initial=USUAL.most_share, help_text="Largest part of it for one strategy.")
    damping = forms.FloatField(initial=USUAL.damping, help_text="The part of the way gone at once; 1 is all of it.")
    least_change = forms.FloatField(initial=USUAL.least_change, help_text="Smaller changes are left out.")
    fewest_samples = forms.IntegerField(initial=USUAL.fewest_samples, help_text="Hours that must be known of each.")

    class Meta:
        """The row itself is written by the service."""

        model = AllocationProposal
        fields = ["portfolio"]

    def clean(self) -> dict[str, Any]:
        """Refuse terms that mean nothing, with the reason."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.terms()
            except InvalidValue as error:
                raise ValidationError({error.field: str(error)}) from error
        return cleaned

    def terms(self) -> Terms:
        """Return the terms. Raises InvalidValue as they do."""
        values = {name: self.cleaned_data[name] for name in TERMS if name != "method"}
        return Terms(AllocationMethod(self.cleaned_data["method"]), **values)


@confirmed_action(
    title="Carry out",
    question="Each strategy gets the capital that the proposal says, from its next tick on. What is real money and gets"
    " more than was approved has to be approved again.",
    permission="change",
)
def carry_out(row: AllocationProposal, actor: str, _reason: str) -> str:
    """Do what a proposal says."""
    allocation_apply(row.pk, actor=actor, now=process_clock().now())
    return f"Carried out {row}"


@confirmed_action(title="Put away", question="It can then not be carried out any more.", permission="change")
def put_away(row: AllocationProposal, actor: str, _reason: str) -> str:
    """Decide against a proposal."""
    allocation_drop(row.pk, actor=actor, now=process_clock().now())
    return f"Put away {row}"


@admin.register(AllocationProposal)
class AllocationProposalAdmin(NoDeleteAdmin[AllocationProposal]):
    """Who should have how much, and why. A proposal changes nothing until somebody carries it out."""

    list_display = ["id", "portfolio", amount_column("budget"), amount_column("equity"), "status", "made_by", "made_at"]
    list_filter = ["status", "portfolio"]
    actions = [carry_out, put_away]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001, FBT002  Django's
        """Return the form of a new proposal; one that is there is only shown."""
        if obj is None:
            kwargs["form"] = ProposalForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: AllocationProposal | None = None) -> list[Any]:
        """Ask for terms, or show what was proposed."""
        if obj is None:
            return ["portfolio", "budget", *TERMS]
        return ["portfolio", "status", "lines_table", "terms", "made_by", "made_at", "decided_by", "decided_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: AllocationProposal | None = None) -> list[str]:
        """Freeze what was proposed."""
        return [] if obj is None else self.get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: AllocationProposal, form: Any, change: Any) -> None:  # noqa: ANN401  Django's own types
        """Make the proposal through the service; what is there already is not saved again."""
        if not isinstance(form, ProposalForm):
            return
        made = allocation_propose(
            obj.portfolio_id, form.terms(), actor=request.user.get_username(), now=process_clock().now(),
            budget=form.cleaned_data["budget"],
        )  # fmt: skip
        obj.pk = made.pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401  Django's
        """Tell why nothing can be proposed now."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except TradingError as error:
            messages.error(request, f"Nothing was proposed: {error}")
            return HttpResponseRedirect(request.path)

    @admin.display(description="proposed")
    def lines_table(self, row: AllocationProposal) -> str:
        """Return what each strategy has and should have, and why."""
        lines = (
            (one["strategy"], f"{Decimal(one['before']):,.2f}", f"{Decimal(one['after']):,.2f}", one["why"])
            for one in row.lines
        )
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines)
        head = "<tr><th>strategy</th><th>has</th><th>gets</th><th>why</th></tr>"
        return format_html('<table class="latest"><thead>' + head + "</thead><tbody>{}</tbody></table>", body)
