"""API keys: a public name and a shared secret, kept as one text."""

from __future__ import annotations

from dataclasses import dataclass, field

from moondev.domain.errors import Configuration


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and its secret. The secret appears in no repr."""

    key: str
    secret: str = field(repr=False)


def read_api_key(text: str) -> ApiKey:
    """Return the key in a secret of the form ``KEY:SECRET``.

    Raises Configuration, without a word of the text, for any other.
    """
    key, colon, secret = text.strip().partition(":")
    if not colon or not key or not secret or any(character.isspace() for character in key + secret):
        raise Configuration("the signer's secret is not of the form KEY:SECRET (API key, colon, API secret)")
    return ApiKey(key, secret)
