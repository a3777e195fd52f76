"""API tokens: made here, shown once, ended here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html

from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin
from apps.monitor.access.networks import network
from apps.monitor.access.scopes import SCOPES, Scope
from apps.monitor.access.tokens import token_create, token_revoke
from apps.monitor.models import ApiToken
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue

SECRET = "api_token_secret"  # noqa: S105  the name of an attribute


class TokenForm(forms.ModelForm[ApiToken]):
    """What a token is for, whose rights it has, and how long."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text="; ".join(f"{scope}: {', '.join(sorted(permissions))}" for scope, permissions in SCOPES.items()),
    )
    days = forms.IntegerField(min_value=1, max_value=366, initial=90, help_text="After so many days it ends by itself.")
    networks = forms.CharField(required=False, help_text="Networks such as 10.0.0.0/8, with commas; empty: anywhere.")

    class Meta:
        """The rest is made."""

        model = ApiToken
        fields = ("name", "user")

    def clean_networks(self) -> list[str]:
        """Return the networks as a list."""
        try:
            return [str(network(part)) for part in self.cleaned_data["networks"].split(",") if part.strip()]
        except InvalidValue as error:
            raise ValidationError(str(error)) from error

    def clean_user(self) -> User:
        """Refuse who may not come in himself."""
        user: User = self.cleaned_data["user"]
        if not (user.is_active and user.is_staff):
            raise ValidationError(f"{user} is not an active member of staff")
        return user


@confirmed_action(title="Revoke", question="Whatever uses it is refused from now on.", permission="change")
def revoke(token: ApiToken, actor: str, _reason: str) -> str:
    """End a token."""
    token_revoke(token.prefix, actor=actor, now=LiveClock().now())
    return f"Revoked {token}"


@admin.register(ApiToken)
class ApiTokenAdmin(NoDeleteAdmin[ApiToken]):
    """Tokens. One is never edited: whoever holds it would not know."""

    list_display = ["name", "show_state", "user", "scopes", "networks", "prefix", "expires_at", "last_used_at"]
    list_filter = ["user"]
    search_fields = ["name", "prefix", "user__username"]
    list_select_related = ["user"]
    ordering = ["-id"]
    actions = [revoke]
    form = TokenForm

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:  # noqa: ANN401  Django's
        """Ask for what a new token needs; show all of one that is there."""
        if obj is None:
            return ["name", "user", "scopes", "days", "networks"]
        return [field.name for field in ApiToken._meta.fields if field.name not in {"id", "digest"}]  # noqa: SLF001  Django's documented way to a model's fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:  # noqa: ANN401  Django's
        """Freeze a token that is there."""
        return self.get_fields(request, obj) if obj else []

    def get_form(
        self,
        request: HttpRequest,
        obj: ApiToken | None = None,
        change: bool = False,  # noqa: FBT001, FBT002  Django's
        **kwargs: Any,  # noqa: ANN401  any value
    ) -> type[forms.ModelForm[ApiToken]]:
        """Use the form for a new token only."""
        form = TokenForm if obj is None else forms.ModelForm
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form})

    def save_form(self, request: HttpRequest, form: Any, change: Any) -> ApiToken:  # noqa: ANN401  Django's
        """Make the token through the service and keep its secret for the answer to this very request."""
        if change:
            return form.instance  # type: ignore[no-any-return]  # nothing of it can change
        now, chosen = LiveClock().now(), form.cleaned_data
        token, secret = token_create(
            name=chosen["name"],
            user=chosen["user"],
            scopes=chosen["scopes"],
            networks=chosen["networks"],
            expires_at=now + timedelta(days=chosen["days"]),
            actor=request.user.get_username(),
            now=now,
        )
        setattr(request, SECRET, secret)
        return token

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: Any) -> None:  # noqa: ANN401  Django's
        """Leave it to the service."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:  # noqa: ANN401  Django's own types
        """Leave it to the service."""

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret, this once; it goes into no message, session or cache."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Token {obj.name}",
            "token": obj,
            "secret": getattr(request, SECRET),
            "opts": self.opts,
        }
        answer = TemplateResponse(request, "admin/monitor/token_made.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    @admin.display(description="state")
    def show_state(self, token: ApiToken) -> str:
        """Return whether it works."""
        over = token.expires_at <= LiveClock().now()
        word = "revoked" if token.revoked_at else "expired" if over else "active"
        return format_html('<span class="word word-{}">{}</span>', "good" if word == "active" else "bad", word)
