"""The two forms of an answer from POST /exchange."""

from __future__ import annotations

from apps.exchanges.mock.wire.hyperliquid.views import Json


class RefusedError(Exception):
    """Carry the sentence with which the venue refuses a whole action."""


def ok(response: Json) -> Json:
    """Return an answer to an action that was carried out."""
    return {"status": "ok", "response": response}


def default() -> Json:
    """Return the answer to an action that has nothing to tell."""
    return ok({"type": "default"})


def err(sentence: str) -> Json:
    """Return the answer to an action that was refused as a whole."""
    return {"status": "err", "response": sentence}
