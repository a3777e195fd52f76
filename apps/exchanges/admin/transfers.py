"""Deposits and withdrawals: booked here through the service, then history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from apps.exchanges.accounts.transfers import require_bookable, transfer_book
from apps.exchanges.admin.amounts import amount_column
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.exchanges.models import Transfer
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue


class TransferForm(ModelForm[Transfer]):
    """What an operator says about a transfer; when it is booked is the clock's."""

    class Meta:
        """Whose money, how much, and what it is known by."""

        model = Transfer
        fields = ["account", "amount", "reference"]

    def clean(self) -> dict[str, Any] | None:
        """Refuse what the service would refuse."""
        cleaned = super().clean() or {}
        if {"account", "amount", "reference"} <= cleaned.keys():
            try:
                require_bookable(
                    account_id=cleaned["account"].pk, amount=cleaned["amount"], reference=cleaned["reference"]
                )
            except InvalidValue as error:
                raise ValidationError(str(error)) from error
        return cleaned


@admin.register(Transfer)
class TransferAdmin(NoDeleteAdmin[Transfer]):
    """Deposits (positive) and withdrawals (negative). Once booked they stay; a wrong one is booked back."""

    form = TransferForm
    list_display = ["at", "account", amount_column("amount"), "reference"]
    list_filter = ["account"]
    search_fields = ["reference"]

    def has_change_permission(self, request: HttpRequest, obj: Transfer | None = None) -> bool:
        """Refuse: what happened is not edited."""
        return False

    def save_model(self, request: HttpRequest, obj: Transfer, form: ModelForm[Transfer], change: Any) -> None:  # noqa: ANN401  Django's
        """Book it through the service, in the operator's name."""
        booked = transfer_book(
            account_id=obj.account_id,
            amount=obj.amount,
            reference=obj.reference,
            actor=request.user.get_username(),
            now=process_clock().now(),
        )
        obj.pk, obj.at = booked.pk, booked.at
