"""What is set of a channel besides its secret, by kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from django.conf import settings
from django.core.exceptions import ValidationError as Refused
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from apps.monitor.alerts.channels.addresses import checked_url
from apps.monitor.alerts.channels.refusals import HIDDEN
from moondev.domain.errors import InvalidValue


def _mail_address(text: str) -> str:
    try:
        validate_email(text)
    except Refused as error:
        raise ValueError(f"{text!r} is not a mail address such as ops@example.com") from error
    return text


MailAddress = Annotated[str, Field(max_length=254), AfterValidator(_mail_address)]


class Options(BaseModel):
    """What every kind has in common: nothing is taken that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def needs_secret(self) -> bool:
        """Return whether it works only with a secret."""
        return True


class DiscordOptions(Options):
    """`thread` is the id of a thread of the webhook's channel; empty is the channel itself."""

    thread: str = Field(default="", pattern=r"^\d{0,20}$")


class TelegramOptions(Options):
    """`chat` is its number (negative: a group) or a public @name; `topic` that of a forum."""

    chat: str = Field(pattern=r"^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31})$")
    topic: int | None = Field(default=None, ge=1)


class WebhookOptions(Options):
    """`url` is where notices are posted to as JSON."""

    url: str = Field(max_length=500)


class EmailOptions(Options):
    """The server that takes mail from us. `user` empty: it wants no login."""

    to: list[MailAddress] = Field(min_length=1, max_length=20)
    sender: MailAddress
    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")
    port: int = Field(default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = Field(default="", max_length=200)

    @property
    def needs_secret(self) -> bool:
        """Return whether the server wants a login."""
        return bool(self.user)


KINDS: Mapping[str, type[Options]] = MappingProxyType(
    {"discord": DiscordOptions, "telegram": TelegramOptions, "webhook": WebhookOptions, "email": EmailOptions}
)


def options_of(kind: str, options: Mapping[str, Any]) -> Options:
    """Return the options of a kind of channel. Raises InvalidValue naming the option that is wrong."""
    if kind not in KINDS:
        raise InvalidValue("kind", kind, ", ".join(KINDS))
    try:
        chosen = KINDS[kind].model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in ("options", *first["loc"]))
        # What somebody set that there is no option for may well be a secret.
        value = HIDDEN if first["type"] == "extra_forbidden" else first["input"]
        raise InvalidValue(field, value, first["msg"]) from None
    if isinstance(chosen, WebhookOptions):
        checked_url("options.url", chosen.url)
    if isinstance(chosen, EmailOptions) and chosen.security == "none" and not settings.ALERTS_MAY_BE_PLAIN:
        raise InvalidValue("options.security", "none", "starttls or tls")
    return chosen


def checked(kind: str, options: Any, secret_variable: str) -> dict[str, Any]:  # noqa: ANN401  whatever JSON was typed
    """Return the options as they are kept. Raises InvalidValue; also for a secret that is missing."""
    if not isinstance(options, dict):
        raise InvalidValue("options", options, "an object such as {}")
    chosen = options_of(kind, options)
    if chosen.needs_secret and not secret_variable:
        raise InvalidValue("secret_variable", "", "the name of the environment variable that holds the secret")
    return chosen.model_dump(exclude_defaults=True)
