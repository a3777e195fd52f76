"""Keys and addresses of the dYdX chain.

An account's address is the bech32 form of RIPEMD160(SHA256(public key)) with the prefix ``dydx``.
https://docs.cosmos.network/main/learn/beginner/accounts
"""

from __future__ import annotations

import base64
import hashlib
from typing import cast

from bech32 import bech32_decode, bech32_encode, convertbits
from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160

from moondev.domain.errors import Configuration, InvalidValue

PREFIX = "dydx"
_KEY_BYTES = 32


def private_key(text: str) -> PrivateKey:
    """Return the key that 64 hex digits (with or without 0x) spell.

    Raises Configuration, without the text, when they do not.
    """
    try:
        secret = bytes.fromhex(text.removeprefix("0x"))
        if len(secret) != _KEY_BYTES:
            raise ValueError
        return PrivateKey(secret)
    except ValueError:
        raise Configuration("the dYdX signer key is not 32 bytes of hex that make a private key") from None


def address_of(key: str) -> str:
    """Return the ``dydx1...`` address of a private key in hex. Raises as `private_key` does."""
    return address_of_public(private_key(key).public_key.format(compressed=True))


def public_key_of(key: str) -> str:
    """Return the compressed public key of a private key in hex, in base64. Raises as `private_key` does."""
    return base64.b64encode(private_key(key).public_key.format(compressed=True)).decode()


def address_of_public(public_key: bytes) -> str:
    """Return the ``dydx1...`` address of a compressed public key (33 bytes)."""
    digest = RIPEMD160.new(hashlib.sha256(public_key).digest()).digest()
    # Whole bytes can always be cut into fives.
    words = cast(list[int], convertbits(digest, 8, 5))
    return str(bech32_encode(PREFIX, words))


def account_address(text: str) -> str:
    """Return an account's address. Raises InvalidValue when it is not one of the chain's."""
    prefix, data = bech32_decode(text)
    if prefix != PREFIX or data is None or text != text.lower():
        raise InvalidValue("account_address", text, f"a bech32 address that starts with {PREFIX}1")
    return text
