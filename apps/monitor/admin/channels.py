"""Channels, what went over them, and who may give commands by Telegram."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html

from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.readonly import NoDeleteAdmin, ReadOnlyAdmin
from apps.monitor.alerts.channels.services import channel_test
from apps.monitor.models import Channel, Delivery, TelegramUser
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue

GOOD = frozenset({"delivered", "on"})


@confirmed_action(
    title="Send a test", question="Each of these channels is sent a test now, switched on or not.", permission="test"
)
def send_test(channel: Channel, actor: str, _reason: str) -> str:
    """Send a test and say how it went."""
    tested = channel_test(slug=channel.slug, actor=actor, now=LiveClock().now())
    if not tested.delivered:
        raise InvalidValue("the test", tested.why, "an answer that says that it was taken")
    return f"Delivered by {channel}" + (f" ({tested.why})" if tested.why else "")


@admin.register(Channel)
class ChannelAdmin(NoDeleteAdmin[Channel]):
    """Ways to people. Their secrets are in the environment of the processes that send, and nowhere here."""

    list_display = ["slug", "kind", "show_state", "fallback", "per_minute", "secret_variable", "show_last"]
    list_filter = ["kind", "enabled"]
    search_fields = ["slug"]
    list_select_related = ["fallback"]
    fields = ["slug", "kind", "secret_variable", "options", "enabled", "fallback", "per_minute"]
    actions = [send_test]

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may send tests."""
        return bool(request.user.has_perm("monitor.test_channel"))

    @admin.display(description="state")
    def show_state(self, channel: Channel) -> str:
        """Return how it does."""
        word = "on" if channel.enabled else "off"
        if channel.failures_in_row:
            word = f"failed {channel.failures_in_row} in a row"
        return _word(word)

    @admin.display(description="last delivery")
    def show_last(self, channel: Channel) -> datetime | str:
        """Return when something was last delivered."""
        last = channel.deliveries.filter(state="delivered").order_by("-id").values_list("finished_at", flat=True)
        return last.first() or "none yet"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    """What was to be told, newest first, and what became of it."""

    list_display = ["id", "noticed_at", "title", "channel", "show_state", "attempts", "next_attempt_at", "last_error"]
    list_filter = ["state", "channel"]
    search_fields = ["title", "key"]
    list_select_related = ["channel"]
    fields = [
        "title", "show_body", "show_files", "channel", "state", "attempts", "noticed_at", "created_at",
        "next_attempt_at", "finished_at", "last_error", "instead_of", "failed_channels", "key",
    ]  # fmt: skip
    readonly_fields = ["show_body", "show_files"]
    ordering = ["-id"]

    @admin.display(description="state", ordering="state")
    def show_state(self, row: Delivery) -> str:
        """Return how far it has got."""
        return _word(row.get_state_display())

    @admin.display(description="body")
    def show_body(self, row: Delivery) -> str:
        """Return what it says, as plain text."""
        return format_html('<pre class="quiet">{}</pre>', row.notice["body"])

    @admin.display(description="files")
    def show_files(self, row: Delivery) -> str:
        """Return what goes along, by name."""
        return ", ".join(one["name"] for one in row.notice["attachments"]) or "none"


class TelegramUserForm(forms.ModelForm[TelegramUser]):
    """Which number is whose."""

    class Meta:
        """All of it."""

        model = TelegramUser
        fields = ("telegram_id", "user", "enabled")

    def clean_user(self) -> User:
        """Refuse who may not come in himself."""
        user: User = self.cleaned_data["user"]
        if not (user.is_active and user.is_staff):
            raise ValidationError(f"{user} is not an active member of staff")
        return user


@admin.register(TelegramUser)
class TelegramUserAdmin(admin.ModelAdmin[TelegramUser]):
    """Who is heard when he gives commands by Telegram; he may do what his role allows."""

    list_display = ["telegram_id", "user", "enabled", "show_roles"]
    list_filter = ["enabled"]
    list_select_related = ["user"]
    form = TelegramUserForm

    @admin.display(description="roles")
    def show_roles(self, row: TelegramUser) -> str:
        """Return the roles of the person."""
        return ", ".join(row.user.groups.values_list("name", flat=True)) or "none"


def _word(word: Any) -> str:  # noqa: ANN401  a label of Django's
    colour = "good" if str(word).lower() in GOOD else "quiet" if word in {"off", "Queued", "Sending"} else "bad"
    return format_html('<span class="word word-{}">{}</span>', colour, word)
