"""Hand a letter to a channel, whatever it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from apps.monitor.alerts.channels import discord, email, telegram, webhook
from apps.monitor.alerts.channels.letter import Letter
from apps.monitor.alerts.channels.options import options_of
from apps.monitor.alerts.channels.refusals import NotTaken, redacted
from apps.monitor.models import Channel
from moondev.domain.errors import InvalidValue
from moondev.settings.env import env_secret

# Options of its kind, the secret, what to say; returns a remark, which is mostly empty.
Tell = Callable[[Any, str, Letter], str]
TELL: Mapping[str, Tell] = MappingProxyType(
    {"discord": discord.tell, "telegram": telegram.tell, "email": email.tell, "webhook": webhook.tell}
)


def send(channel: Channel, letter: Letter) -> str:
    """Send a letter; return a remark about what was not perfect. Raises NotTaken, which names no secret."""
    secret = _secret(channel)
    try:
        # Checked once more: which hosts are allowed may have changed since the row was written.
        remark = TELL[channel.kind](options_of(channel.kind, channel.options), secret, letter)
    except NotTaken as error:
        raise NotTaken(
            redacted(str(error), secret), permanent=error.permanent, retry_after_seconds=error.retry_after_seconds
        ) from None
    except InvalidValue as error:
        raise NotTaken(redacted(str(error), secret), permanent=True) from None
    except Exception as error:  # noqa: BLE001  a bug in one channel, or in its library, must cost neither the notice nor others
        # Only what kind it was: its words may hold an address with a token.
        raise NotTaken(f"it could not be sent ({type(error).__name__})") from None
    return redacted(remark, secret)


def _secret(channel: Channel) -> str:
    if not channel.secret_variable:
        return ""
    try:
        return env_secret(channel.secret_variable)
    except ImproperlyConfigured as error:
        raise NotTaken(str(error), permanent=True) from error
