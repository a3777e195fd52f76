"""The body of POST /exchange: read it, and find out who signed it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from apps.exchanges.mock.wire.hyperliquid.orders_in import (
    MalformedError,
    field,
    json_object,
    optional,
)
from apps.exchanges.mock.wire.hyperliquid.signing import (
    USER_SIGNED,
    BadSignatureError,
    Signature,
    action_hash,
    address_bytes,
    recover_l1,
    recover_user_signed,
)
from apps.exchanges.mock.wire.hyperliquid.views import Json

_UINT64 = 2**64


@dataclass(frozen=True, slots=True)
class Envelope:
    """One signed request, as it was received. Times in ms; None where the field was absent or null."""

    action: Json
    nonce: int
    signature: Signature
    vault: str | None
    expires_after: int | None

    @property
    def kind(self) -> str:
        """Return the type of the action."""
        return str(self.action["type"])

    @property
    def user_signed(self) -> bool:
        """Return whether the action carries typed data of its own and so speaks for its signer only."""
        return self.kind in USER_SIGNED

    def signer(self) -> str:
        """Return the address whose key made the signature. Raises BadSignatureError."""
        if self.user_signed:
            return recover_user_signed(self.action, self.signature)
        return recover_l1(action_hash(self.action, self.nonce, self.vault, self.expires_after), self.signature)


def read_json(body: bytes | str) -> object:
    """Return parsed JSON, its keys in the order received. Raises MalformedError."""
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(str(error)) from error
    return parsed


def read_envelope(raw: object) -> Envelope:
    """Read `{action, nonce, signature, vaultAddress?, expiresAfter?}`. Raises MalformedError."""
    body = json_object(raw)
    action = json_object(body.get("action"))
    field(action, "type", str)
    nonce = field(body, "nonce", int)
    expires = optional(body, "expiresAfter", int)
    if not (0 <= nonce < _UINT64 and 0 <= (expires or 0) < _UINT64):
        raise MalformedError("nonce and expiresAfter must be unsigned 64-bit numbers")
    vault = optional(body, "vaultAddress", str)
    try:
        if vault is not None:
            address_bytes(vault)
        return Envelope(action, nonce, Signature.from_json(body.get("signature")), vault, expires)
    except (BadSignatureError, ValueError) as error:
        raise MalformedError(str(error)) from error
