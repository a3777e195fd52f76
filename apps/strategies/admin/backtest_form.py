"""What an operator asks for when a backtest is started: ideas, data, period, money and rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.db import transaction

from apps.strategies.admin.forms import idea_choices
from apps.strategies.backtest.requests.asking import Terms, request_for
from apps.strategies.backtest.requests.request import RULES, BacktestRequest
from apps.strategies.backtest.services import backtest_request
from apps.strategies.backtest.shelf import Holds, funding_beside, names_on_shelf
from apps.strategies.models import BacktestRun, StrategyRow
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError

AS_SET_UP = "the strategies' own parameters"
_FIELD_OF = {"data": "recorded", "from": "start", "start": "start", "end": "end", "capital": "capital"}


class BacktestForm(forms.Form):
    """One or several backtests on the same data."""

    strategies = forms.ModelMultipleChoiceField(
        StrategyRow.objects.order_by("slug"),
        required=False,
        widget=forms.SelectMultiple({"size": 4}),
        help_text="As they are set up: parameters, money, instruments and their venues' fees.",
    )
    idea = forms.ChoiceField(
        label="Strategy and preset", required=False, help_text="Without a strategy above, or instead of its parameters."
    )
    recorded = forms.MultipleChoiceField(
        label="Data",
        required=False,
        widget=forms.SelectMultiple({"size": 10}),
        help_text="Recorded bars, one for each instrument. Strategies find their own when they are kept.",
    )
    start = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), label="From")
    end = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}), label="To")
    capital = forms.FloatField(required=False, min_value=1, help_text="Default: the strategy's, or 100,000.")
    leverage = forms.FloatField(required=False, min_value=0.01, help_text="Default: the strategy's, or 1.")
    rule = forms.ChoiceField(choices=[(name, name) for name in RULES], label="Orders fill at the")
    spread_bps = forms.FloatField(initial=0.0, min_value=0, label="Spread (bp)", help_text="Market orders pay half.")
    with_funding = forms.BooleanField(required=False, initial=True, label="Charge recorded funding where there is any")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        super().__init__(*args, **kwargs)
        self.runs: list[BacktestRun] = []
        for name, choices in (("idea", [("", AS_SET_UP), *idea_choices()]), ("recorded", _data_choices())):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Ask for an idea."""
        cleaned = super().clean() or {}
        if not cleaned.get("strategies") and not cleaned.get("idea"):
            self.add_error("idea", "idea is empty; allowed: a preset, or strategies above")
        return cleaned

    def carry_out(self, actor: str) -> bool:
        """Queue every backtest, or none: what is refused stands at its field."""
        try:
            with transaction.atomic():
                now = process_clock().now()
                self.runs = [backtest_request(one, actor=actor, now=now) for one in self._requests()]
        except TradingError as error:
            field = _FIELD_OF.get(getattr(error, "field", ""))
            self.add_error(field, str(error))
            return False
        return True

    def _requests(self) -> list[BacktestRequest]:
        kind, _, preset_name = self.cleaned_data["idea"].partition("/")
        chosen = list(self.cleaned_data["strategies"])
        asked = [(row.slug, preset_name if row.kind == kind else "") for row in chosen] or [(kind, preset_name)]
        data, terms = self.cleaned_data["recorded"], self._terms()
        return [request_for(name, data=data, preset_name=preset, **terms) for name, preset in asked]

    def _terms(self) -> Terms:
        cleaned = self.cleaned_data
        funding = funding_beside(cleaned["recorded"]) if cleaned["with_funding"] else ()
        terms: Terms = {
            "start": _midnight(cleaned["start"]),
            "end": _midnight(cleaned["end"]),
            "rule": cleaned["rule"],
            "spread_bps": cleaned["spread_bps"],
            "funding": funding,
        }
        if cleaned["capital"] is not None:
            terms["capital"] = cleaned["capital"]
        if cleaned["leverage"] is not None:
            terms["leverage"] = cleaned["leverage"]
        return terms


def _data_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in names_on_shelf(Holds.BARS)]


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
