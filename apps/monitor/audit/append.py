"""Add an entry by hand: for what leaves no row of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apps.exchanges.bulk import fetch

NOTHING: Mapping[str, Any] = {}


def audit_append(
    *,
    action: str,
    subject: str = "",
    actor: str = "",
    address: str = "",
    reason: str = "",
    before: Mapping[str, Any] = NOTHING,
    after: Mapping[str, Any] = NOTHING,
) -> int:
    """Add an entry and return its number; an empty actor is whoever acts (`acting`), else this process.

    Until the transaction ends nobody else can add one: call it last, or outside of any.
    """
    [(seq,)] = fetch(
        "INSERT INTO monitor_auditentry (actor, address, action, subject, reason, before, after)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING seq",
        (actor, address, action, subject, reason, json.dumps(before, default=str), json.dumps(after, default=str)),
    )
    return int(seq)
