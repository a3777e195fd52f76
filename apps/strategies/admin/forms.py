"""Forms of a strategy. What they save goes through the services, and is rehearsed before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast

from django import forms
from django.core.validators import MinValueValidator
from django.db import transaction

from apps.exchanges.admin.amounts import PlainAmountsForm
from apps.exchanges.models import Account, InstrumentRow
from apps.strategies.admin.parameter_fields import PREFIX, form_fields, from_form, problems, to_form
from apps.strategies.models import StrategyRow
from apps.strategies.registry import preset, preset_names, strategy_class, strategy_names
from apps.strategies.services import Settings, strategy_create, strategy_update
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration, InvalidValue

TIMING = ("trigger", "cadence_seconds", "book_move_bps", "deadline_ms", "priority")
MONEY = ("capital", "leverage", "reprice_bps", "slippage_bps")
# Lower values pass the columns' own checks but would stop a strategy from ever trading.
LOWEST = {
    "leverage": Decimal("0.01"),
    "book_move_bps": Decimal("0.01"),
    "reprice_bps": Decimal(0),
    "deadline_ms": 100,
}
# A service names what is wrong by its own words; here is the field that an operator typed it into.
FIELD_OF = {"instrument": "instruments", "kind": "idea", "strategy": "idea"}


class StrategyForm(PlainAmountsForm[StrategyRow]):
    """What every strategy has: when it ticks, with which money, on which instruments."""

    instruments = forms.ModelMultipleChoiceField(
        InstrumentRow.objects.filter(active=True).select_related("venue").order_by("venue", "symbol"),
        widget=forms.SelectMultiple({"size": 5}),
        help_text="Of the venue and currency of its accounts. They change only while it is disabled and flat.",
    )

    class Meta:
        """The settings; the rest is added by the two forms below."""

        model = StrategyRow
        fields: Sequence[str] = (*TIMING, *MONEY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in {*TIMING, *MONEY}:
                field.error_messages.update(_messages(name))
            if name in LOWEST:
                field.validators.append(MinValueValidator(LOWEST[name]))

    def carry_out(self, actor: str) -> StrategyRow:
        """Save through the services. Raises InvalidValue naming the field that is wrong."""
        raise NotImplementedError

    def settings(self) -> Settings:
        """Return the settings that were typed."""
        return cast(Settings, {name: self.cleaned_data[name] for name in (*TIMING, *MONEY)})

    def full_clean(self) -> None:
        """Rehearse the save, so that what the services refuse stands at its field and nothing is saved."""
        super().full_clean()
        if self.is_bound and not self.errors:
            self._rehearse()

    def _rehearse(self) -> None:
        try:
            with transaction.atomic():
                self.carry_out("rehearsal")
                transaction.set_rollback(True)
        except InvalidValue as error:
            self.add_error(self._field_of(error), str(error))
        except Configuration as error:
            self.add_error(None, str(error))

    def _field_of(self, error: InvalidValue) -> str | None:
        names = (error.field, PREFIX + error.field, FIELD_OF.get(error.field))
        return next((name for name in names if name in self.fields), None)


class AddStrategyForm(StrategyForm):
    """A new strategy starts from a preset; its parameters are typed on the next page."""

    idea = forms.ChoiceField(label="Strategy and preset", help_text="Its parameters can be changed on the next page.")
    accounts_abroad = forms.ModelMultipleChoiceField(
        Account.objects.filter(enabled=True).order_by("code"),
        required=False,
        widget=forms.SelectMultiple({"size": 3}),
        help_text="Who trades the instruments of other venues: one account each, of the same portfolio and currency.",
    )

    class Meta(StrategyForm.Meta):
        """Also what cannot be changed later."""

        fields = ("slug", "account", *StrategyForm.Meta.fields)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        super().__init__(*args, **kwargs)
        idea = self.fields["idea"]
        if isinstance(idea, forms.ChoiceField):
            idea.choices = idea_choices()

    def carry_out(self, actor: str) -> StrategyRow:
        """Create the strategy."""
        kind, _, name = self.cleaned_data["idea"].partition("/")
        return strategy_create(
            slug=self.cleaned_data["slug"],
            kind=kind,
            parameters=preset(kind, name).model_dump(mode="json"),
            account=self.cleaned_data["account"],
            instruments=list(self.cleaned_data["instruments"]),
            actor=actor,
            now=process_clock().now(),
            accounts_abroad=list(self.cleaned_data["accounts_abroad"]),
            **self.settings(),
        )


class ChangeStrategyForm(StrategyForm):
    """A strategy's settings and its parameters, each as a field of its own type."""

    kind: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  Django's
        super().__init__(*args, **kwargs)
        model = strategy_class(self.kind).parameters
        self.initial.update(to_form(model, self.instance.parameters))

    def clean(self) -> dict[str, Any] | None:
        """Put what the parameter model refuses beside each parameter."""
        cleaned = super().clean() or {}
        if any(name.startswith(PREFIX) for name in self.errors):
            return cleaned
        for error in problems(self.kind, from_form(strategy_class(self.kind).parameters, cleaned)):
            self.add_error(self._field_of(error), str(error))
        return cleaned

    def carry_out(self, actor: str) -> StrategyRow:
        """Change the strategy; instruments are passed on only when they differ."""
        return strategy_update(
            self.instance.pk,
            actor=actor,
            now=process_clock().now(),
            parameters=from_form(strategy_class(self.kind).parameters, self.cleaned_data),
            instruments=list(self.cleaned_data["instruments"]) if "instruments" in self.changed_data else None,
            **self.settings(),
        )


def change_form(kind: str) -> type[ChangeStrategyForm]:
    """Return the form of strategies of `kind`. Raises Configuration for an unknown one."""
    fields = form_fields(strategy_class(kind).parameters)
    return type("ChangeStrategyForm", (ChangeStrategyForm,), {**fields, "kind": kind})


def idea_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every preset, grouped by strategy."""
    return [
        (kind.replace("_", " "), [(f"{kind}/{name}", f"{kind}: {name}") for name in preset_names(kind)])
        for kind in strategy_names()
    ]


def _messages(name: str) -> Mapping[str, str]:
    """Return messages that name the field, the value and what is allowed."""
    return {
        "required": f"{name} is empty; allowed: a value",
        "invalid": f"{name} is not a number; allowed: a number",
        "min_value": f"{name} is %(show_value)s; allowed: at least %(limit_value)s",
        "max_value": f"{name} is %(show_value)s; allowed: at most %(limit_value)s",
        "max_digits": f"{name} has too many digits; allowed: %(max)s",
        "max_decimal_places": f"{name} has too many decimal places; allowed: %(max)s",
        "max_whole_digits": f"{name} is too large; allowed: %(max)s digits before the point",
    }
