"""Reading a transaction: what it asks for, who signed it, and whether that is true.

A transaction is TxRaw; its one signature, in SIGN_MODE_DIRECT, is secp256k1 over the SHA-256 of a SignDoc that names
the chain and the account's number on it.
https://docs.cosmos.network/main/build/architecture/adr-020-protobuf-transaction-encoding
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, cast

from bech32 import bech32_encode, convertbits
from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact
from Crypto.Hash import RIPEMD160

from apps.exchanges.mock.wire.dydx.protobuf import MESSAGES, DecodeError, decode
from apps.exchanges.mock.wire.dydx.refusals import SDK, RefusedTx
from apps.exchanges.mock.wire.dydx.words import CHAINS

SIGN_MODE_DIRECT = 1
KINDS = ("MsgPlaceOrder", "MsgCancelOrder", "MsgBatchCancel")
_CLOB = "/dydxprotocol.clob."


@dataclass(frozen=True, slots=True)
class Transaction:
    """One signed request. `message` is of the kind that `kind` names; `timeout_height` 0 is no last block."""

    hash: str
    kind: str
    message: Any
    public_key: bytes
    sequence: int
    timeout_height: int
    body: bytes
    auth_info: bytes
    signature: bytes

    def require_signature(self, account_number: int) -> None:
        """Refuse the transaction when its key did not sign it for this account on one of our chains."""
        for chain in CHAINS:
            document = MESSAGES["SignDoc"](
                body_bytes=self.body, auth_info_bytes=self.auth_info, chain_id=chain, account_number=account_number
            )
            if _signed(self.public_key, self.signature, document.SerializeToString()):
                return
        where = f"account number ({account_number}) and chain-id ({CHAINS[0]})"
        raise RefusedTx(4, f"signature verification failed; please verify {where}", SDK)


def read_transaction(raw: bytes) -> Transaction:
    """Return the transaction that `raw` encodes. Raises RefusedTx when it is none, or one the mock does not know."""
    try:
        outer = decode("TxRaw", raw)
        body, auth_info = decode("TxBody", outer.body_bytes), decode("AuthInfo", outer.auth_info_bytes)
        if len(body.messages) != 1 or len(auth_info.signer_infos) != 1 or len(outer.signatures) != 1:
            raise RefusedTx(18, "one message, one signer and one signature are expected", SDK)
        (asked,), (signer,) = body.messages, auth_info.signer_infos
        kind = asked.type_url.removeprefix(_CLOB)
        if kind not in KINDS:
            raise RefusedTx(18, f"this chain does not carry out {asked.type_url}", SDK)
        if signer.mode_info.single.mode != SIGN_MODE_DIRECT:
            raise RefusedTx(18, "only SIGN_MODE_DIRECT is taken", SDK)
        message, key = decode(kind, asked.value), decode("PubKey", signer.public_key.value).key
    except DecodeError as error:
        raise RefusedTx(2, str(error), SDK) from None
    return Transaction(
        hash=hash_of(raw),
        kind=kind,
        message=message,
        public_key=key,
        sequence=signer.sequence,
        timeout_height=body.timeout_height,
        body=outer.body_bytes,
        auth_info=outer.auth_info_bytes,
        signature=outer.signatures[0],
    )


def hash_of(raw: bytes) -> str:
    """Return the name of a transaction."""
    return hashlib.sha256(raw).hexdigest().upper()


def address_of(public_key: bytes) -> str:
    """Return the address that belongs to a compressed public key."""
    digest = RIPEMD160.new(hashlib.sha256(public_key).digest()).digest()
    # Whole bytes can always be cut into fives.
    return str(bech32_encode("dydx", cast(list[int], convertbits(digest, 8, 5))))


def _signed(public_key: bytes, signature: bytes, document: bytes) -> bool:
    try:
        return bool(PublicKey(public_key).verify(cdata_to_der(deserialize_compact(signature)), document))
    except ValueError:
        # No signature, or no key: nothing that could fit together.
        return False
