"""Keys of the dYdX chain: the address everybody else derives from them, and no word of them in an error."""

from __future__ import annotations

import base64

import pytest
from bech32 import bech32_decode

from apps.exchanges.venues.dydx.keys import address_of, address_of_public, private_key, public_key_of
from moondev.domain.errors import Configuration

# The generator point of the curve is the public key of 1; BIP 173 gives the digest of its 20 bytes:
# https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
ONE = f"{1:064x}"
GENERATOR = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
DIGEST = "751e76e8199196d454941c45d1b3a323f1433bd6"


def test_an_address_holds_the_digest_of_the_public_key() -> None:
    prefix, words = bech32_decode(address_of(ONE))
    bits = "".join(f"{word:05b}" for word in words)
    assert (prefix, f"{int(bits, 2):040x}") == ("dydx", DIGEST)


def test_the_public_key_is_compressed_and_in_base64() -> None:
    assert base64.b64decode(public_key_of("0x" + ONE)).hex() == GENERATOR
    assert address_of_public(bytes.fromhex(GENERATOR)) == address_of(ONE)


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32, "11" * 33])
def test_what_is_no_key_is_refused_without_being_repeated(text) -> None:
    with pytest.raises(Configuration) as refusal:
        private_key(text)
    assert not text or text not in str(refusal.value)
