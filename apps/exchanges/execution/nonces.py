"""Nonces: one atomic sequence per signer, in its row, for every worker of every machine.

Venues such as Hyperliquid refuse a nonce they have seen and expect it near the time in milliseconds, so it is the
later of the last one plus one and now. https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/nonces-and-api-wallets
"""

from __future__ import annotations

from datetime import datetime

from apps.exchanges.bulk import fetch
from moondev.domain.clock import milliseconds
from moondev.domain.errors import Configuration, InvalidValue


def nonces_take(signer_id: int, count: int, now: datetime) -> range:
    """Take `count` nonces that nobody else will ever get. Commit before using them.

    Raises InvalidValue for a count below one and Configuration for an unknown signer.
    """
    if count < 1:
        raise InvalidValue("count", count, "1 or more")
    rows = fetch(
        "UPDATE exchanges_signer SET last_nonce = GREATEST(last_nonce + 1, %s) + %s WHERE id = %s RETURNING last_nonce",
        (milliseconds(now), count - 1, signer_id),
    )
    if not rows:
        raise Configuration(f"signer is {signer_id}; allowed: the id of a signer")
    last = int(rows[0][0])
    return range(last - count + 1, last + 1)
