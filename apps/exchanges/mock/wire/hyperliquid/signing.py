"""Recover who signed an action: Hyperliquid's two EIP-712 schemes, verified by hand.

L1 actions (orders, cancels, leverage) are hashed as msgpack in the order in which their keys
arrived, and the hash is signed as a "phantom agent". User-signed actions (transfers, agent
approval) are typed data of their own. Only testnet signatures (source "b", chain "Testnet") are
recomputed, so a mainnet signature recovers to a stranger's address, as it does at the venue.
The schemes follow the venue's Python SDK (hyperliquid/utils/signing.py); EIP-712 is
https://eips.ethereum.org/EIPS/eip-712.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgpack
from coincurve import PublicKey
from Crypto.Hash import keccak

_ADDRESS_BYTES = 20
_WORD = 32
_RECOVERY_BASE = 27
_DOMAIN_FIELDS = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_TESTNET_SOURCE = "b"
_TESTNET_CHAIN = "Testnet"


class BadSignatureError(Exception):
    """Say that a signature is malformed or that no key can have made it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """An Ethereum signature as it came off the wire."""

    r: int
    s: int
    v: int

    @classmethod
    def from_json(cls, raw: object) -> Signature:
        """Read `{r, s, v}`; r and s are hex of any length. Raises BadSignatureError."""
        if not isinstance(raw, dict):
            raise BadSignatureError(f"signature must be an object with r, s and v, got {raw!r}")
        try:
            return cls(int(raw["r"], 16), int(raw["s"], 16), int(raw["v"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadSignatureError(f"signature needs hex r, hex s and an integer v: {error}") from error

    def compact(self) -> bytes:
        """Return the 65 bytes r, s, recovery id. Raises BadSignatureError when a part is out of range."""
        recovery = self.v - _RECOVERY_BASE if self.v >= _RECOVERY_BASE else self.v
        if recovery not in (0, 1):
            raise BadSignatureError(f"v must be 0, 1, 27 or 28, got {self.v}")
        try:
            return self.r.to_bytes(_WORD, "big") + self.s.to_bytes(_WORD, "big") + bytes([recovery])
        except OverflowError as error:
            raise BadSignatureError("r and s must be unsigned 256-bit numbers") from error


def keccak256(data: bytes) -> bytes:
    """Return Ethereum's Keccak-256 of `data`."""
    return keccak.new(data=data, digest_bits=256).digest()


def action_hash(action: object, nonce: int, vault: str | None = None, expires_after: int | None = None) -> bytes:
    """Return the connection id of an L1 action: its msgpack, nonce (ms), vault and expiry (ms)."""
    data = bytearray(msgpack.packb(action))
    data += nonce.to_bytes(8, "big")
    data += b"\x00" if vault is None else b"\x01" + address_bytes(vault)
    if expires_after is not None:
        data += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak256(bytes(data))


def recover_l1(connection_id: bytes, signature: Signature) -> str:
    """Return the lower-case address that signed an L1 action for the testnet.

    Raises BadSignatureError when no key fits.
    """
    struct = keccak256(_agent_start() + connection_id)
    return _recover(_domain("Exchange", 1337), struct, signature)


def recover_user_signed(action: Mapping[str, Any], signature: Signature) -> str:
    """Return the lower-case address that signed a user-signed action for the testnet.

    Raises BadSignatureError when the type is unknown, a field is missing or malformed, or no key fits.
    """
    scheme = USER_SIGNED.get(str(action.get("type")))
    if scheme is None:
        raise BadSignatureError(f"{action.get('type')!r} is not a user-signed action")
    message = {"agentName": "", **action, "hyperliquidChain": _TESTNET_CHAIN}
    try:
        chain_id = int(str(action["signatureChainId"]), 16)
        struct = _struct_hash(scheme, message)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadSignatureError(f"cannot hash {action.get('type')!r}: {error}") from error
    return _recover(_domain("HyperliquidSignTransaction", chain_id), struct, signature)


def address_bytes(address: str) -> bytes:
    """Return the 20 bytes of a hex address, with or without 0x. Raises ValueError."""
    raw = bytes.fromhex(address.removeprefix("0x"))
    if len(raw) != _ADDRESS_BYTES:
        raise ValueError(f"an address has 20 bytes, got {len(raw)} in {address!r}")
    return raw


@dataclass(frozen=True, slots=True)
class UserSignedScheme:
    """The typed-data schema of one user-signed action."""

    primary: str
    fields: tuple[tuple[str, str], ...]

    @property
    def encoded(self) -> str:
        """Return EIP-712's encodeType."""
        inner = ",".join(f"{kind} {name}" for kind, name in self.fields)
        return f"HyperliquidTransaction:{self.primary}({inner})"


def _scheme(primary: str, *fields: str) -> UserSignedScheme:
    pairs = tuple(tuple(field.split(" ", 1)) for field in ("string hyperliquidChain", *fields))
    return UserSignedScheme(primary, tuple((kind, name) for kind, name in pairs))


USER_SIGNED: Mapping[str, UserSignedScheme] = {
    "usdSend": _scheme("UsdSend", "string destination", "string amount", "uint64 time"),
    "spotSend": _scheme("SpotSend", "string destination", "string token", "string amount", "uint64 time"),
    "withdraw3": _scheme("Withdraw", "string destination", "string amount", "uint64 time"),
    "usdClassTransfer": _scheme("UsdClassTransfer", "string amount", "bool toPerp", "uint64 nonce"),
    "sendAsset": _scheme(
        "SendAsset",
        "string destination",
        "string sourceDex",
        "string destinationDex",
        "string token",
        "string amount",
        "string fromSubAccount",
        "uint64 nonce",
    ),
    "approveAgent": _scheme("ApproveAgent", "address agentAddress", "string agentName", "uint64 nonce"),
    "approveBuilderFee": _scheme("ApproveBuilderFee", "string maxFeeRate", "address builder", "uint64 nonce"),
    "tokenDelegate": _scheme("TokenDelegate", "address validator", "uint64 wei", "bool isUndelegate", "uint64 nonce"),
    "userDexAbstraction": _scheme("UserDexAbstraction", "address user", "bool enabled", "uint64 nonce"),
    "userSetAbstraction": _scheme("UserSetAbstraction", "address user", "string abstraction", "uint64 nonce"),
    "convertToMultiSigUser": _scheme("ConvertToMultiSigUser", "string signers", "uint64 nonce"),
}


def _encode_uint(value: object) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected an integer, got {value!r}")
    return value.to_bytes(_WORD, "big")


def _encode_bool(value: object) -> bytes:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r}")
    return int(value).to_bytes(_WORD, "big")


def _encode_string(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {value!r}")
    return keccak256(value.encode())


def _encode_address(value: object) -> bytes:
    return address_bytes(str(value)).rjust(_WORD, b"\x00")


_ENCODERS: Mapping[str, Callable[[object], bytes]] = {
    "string": _encode_string,
    "uint64": _encode_uint,
    "bool": _encode_bool,
    "address": _encode_address,
}


def _struct_hash(scheme: UserSignedScheme, message: Mapping[str, Any]) -> bytes:
    words = [_ENCODERS[kind](message[name]) for kind, name in scheme.fields]
    return keccak256(_type_hash(scheme.encoded) + b"".join(words))


@lru_cache(maxsize=1)
def _agent_start() -> bytes:
    """Return what every phantom agent of the testnet begins with."""
    return _type_hash("Agent(string source,bytes32 connectionId)") + keccak256(_TESTNET_SOURCE.encode())


@lru_cache(maxsize=64)
def _type_hash(encoded: str) -> bytes:
    return keccak256(encoded.encode())


@lru_cache(maxsize=64)
def _domain(name: str, chain_id: int) -> bytes:
    words = (
        _type_hash(_DOMAIN_FIELDS),
        keccak256(name.encode()),
        keccak256(b"1"),
        chain_id.to_bytes(_WORD, "big"),
        bytes(_WORD),
    )
    return keccak256(b"".join(words))


def _recover(domain: bytes, struct: bytes, signature: Signature) -> str:
    digest = keccak256(b"\x19\x01" + domain + struct)
    try:
        key = PublicKey.from_signature_and_message(signature.compact(), digest, hasher=None)
    except ValueError as error:
        raise BadSignatureError(f"no key can have made this signature: {error}") from error
    return "0x" + keccak256(key.format(compressed=False)[1:])[-_ADDRESS_BYTES:].hex()
