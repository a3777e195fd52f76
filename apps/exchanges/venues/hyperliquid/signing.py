"""Hyperliquid's signatures, with every input explicit.

The venue's own SDK keeps the expiry on the object and takes the nonce inside the call, so neither
can be chosen by whoever owns the signer's row; it also spends most of its time encoding constant
EIP-712 types. Here the constant parts are hashed once and the curve does the rest.

Scheme: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/signing and EIP-712.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgpack
from eth_keys.backends import get_backend_class
from eth_utils.crypto import keccak

from moondev.domain.errors import Configuration, InvalidValue

try:
    from coincurve import PrivateKey
except ImportError as error:  # pragma: no cover - the pinned requirements bring it
    raise Configuration("coincurve is not installed; run: pip install coincurve==21.0.0") from error

Action = Mapping[str, Any]

ZERO_ADDRESS = bytes(32)
USER_SIGNED_CHAIN_ID = 0x66EEE
_U64 = 2**64
_RECOVERY_OFFSET = 27

_DOMAIN_TYPE = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_VERSION_1 = keccak(text="1")
_AGENT_TYPE = keccak(text="Agent(string source,bytes32 connectionId)")
_SOURCE_MAINNET = keccak(text="a")
_SOURCE_OTHER = keccak(text="b")


def _domain_separator(name: str, chain_id: int) -> bytes:
    return keccak(_DOMAIN_TYPE + keccak(text=name) + _VERSION_1 + chain_id.to_bytes(32, "big") + ZERO_ADDRESS)


# Every exchange action is signed for this made-up chain; replay between networks is prevented by the
# agent's `source`.
_L1_DOMAIN = _domain_separator("Exchange", 1337)
_USER_DOMAIN = _domain_separator("HyperliquidSignTransaction", USER_SIGNED_CHAIN_ID)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as the wire wants it: `r` and `s` in hex without padding, `v` 27 or 28."""

    r: str
    s: str
    v: int

    def wire(self) -> dict[str, str | int]:
        """Return the JSON object of the request."""
        return {"r": self.r, "s": self.s, "v": self.v}


def require_fast_curve() -> None:
    """Raise Configuration unless eth_keys uses coincurve: its own curve takes ten times as long."""
    backend = get_backend_class().__name__
    if backend != "CoinCurveECCBackend":
        raise Configuration(
            f"eth_keys uses {backend}; run: pip install coincurve==21.0.0, and leave ECC_BACKEND_CLASS unset"
        )


class Signer:
    """Signs for one wallet. The key never leaves this object and appears in no text of it."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: str) -> None:
        """Take a key of 32 bytes in hex, with or without 0x. Raises Configuration otherwise."""
        self._key = _private_key(private_key)
        point = self._key.public_key.format(compressed=False)[1:]
        self.address = "0x" + keccak(point)[-20:].hex()

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign_action(self, action: Action, nonce: int, expires_after_ms: int | None, *, is_mainnet: bool) -> Signature:
        """Sign an exchange action. The order of the keys of `action` is part of what is signed."""
        return self._sign(l1_digest(action_hash(action, nonce, expires_after_ms), is_mainnet=is_mainnet))

    def sign_user_action(self, primary_type: str, fields: Sequence[tuple[str, str]], message: Action) -> Signature:
        """Sign what only the account's own wallet may say, such as approving an agent."""
        return self._sign(user_digest(primary_type, fields, message))

    def _sign(self, digest: bytes) -> Signature:
        raw = self._key.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
        return Signature(hex(r), hex(s), raw[64] + _RECOVERY_OFFSET)


def _private_key(text: str) -> PrivateKey:
    digits = text.removeprefix("0x")
    allowed = "the signer key is not a private key; allowed: 64 hex digits of a number the curve has"
    if len(digits) != 64:
        raise Configuration(allowed)
    try:
        return PrivateKey(bytes.fromhex(digits))
    except ValueError:
        # From None: the chained error would carry the key into a log.
        raise Configuration(allowed) from None


def action_hash(
    action: Action, nonce: int, expires_after_ms: int | None = None, vault_address: str | None = None
) -> bytes:
    """Return the hash by which the venue knows an action: msgpack, nonce, vault, expiry."""
    data = msgpack.packb(action) + _u64("nonce", nonce)
    data += b"\x00" if vault_address is None else b"\x01" + bytes.fromhex(vault_address.removeprefix("0x"))
    if expires_after_ms is not None:
        data += b"\x00" + _u64("expires_after_ms", expires_after_ms)
    return keccak(data)


def l1_digest(connection_id: bytes, *, is_mainnet: bool) -> bytes:
    """Return what is signed for an exchange action whose hash is `connection_id`."""
    source = _SOURCE_MAINNET if is_mainnet else _SOURCE_OTHER
    return keccak(b"\x19\x01" + _L1_DOMAIN + keccak(_AGENT_TYPE + source + connection_id))


def user_digest(primary_type: str, fields: Sequence[tuple[str, str]], message: Action) -> bytes:
    """Return what is signed for a user action: `fields` are (name, EIP-712 type) in order.

    Raises InvalidValue for a type other than string, address, bool or uint64.
    """
    listing = ",".join(f"{kind} {name}" for name, kind in fields)
    body = keccak(text=f"{primary_type}({listing})")
    for name, kind in fields:
        body += _encoded(name, kind, message[name])
    return keccak(b"\x19\x01" + _USER_DOMAIN + keccak(body))


def decimal_to_wire(field: str, value: Decimal, places: int = 8) -> str:
    """Return `value` as the venue signs numbers: plain, no trailing zeros, at most `places`.

    Raises InvalidValue rather than round: a price that changes on its way out was never approved.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidValue(field, value, "a finite number")
    text = f"{value:f}"
    if exponent < 0:
        text = text.rstrip("0").rstrip(".")
    if exponent < -places and len(text.partition(".")[2]) > places:
        raise InvalidValue(field, value, f"at most {places} decimals")
    return "0" if text in {"-0", ""} else text


def _u64(field: str, number: int) -> bytes:
    if not 0 <= number < _U64:
        raise InvalidValue(field, number, "a whole number from 0 to 2^64 - 1")
    return number.to_bytes(8, "big")


def _encoded(name: str, kind: str, value: Any) -> bytes:  # noqa: ANN401 - the type is `kind`
    match kind:
        case "string":
            return keccak(text=value)
        case "address":
            return bytes.fromhex(value.removeprefix("0x")).rjust(32, b"\x00")
        case "bool":
            return int(value).to_bytes(32, "big")
        case "uint64":
            return _u64(name, value).rjust(32, b"\x00")
        case _:
            raise InvalidValue(name, kind, "string, address, bool or uint64")
