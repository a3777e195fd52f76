"""How much money has come into each of the accounts that are added up: kept as JSON, exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

# Money by the account's id as text, each in its own currency.
Parts = Mapping[str, Decimal]


def parts_text(parts: Parts) -> str:
    """Return parts as JSON. Amounts are texts in it: a number of JSON would come back rounded."""
    return json.dumps({part: f"{amount:f}" for part, amount in sorted(parts.items())})


def parts_read(kept: Mapping[str, str]) -> dict[str, Decimal]:
    """Return what `parts_text` has written."""
    return {part: Decimal(amount) for part, amount in kept.items()}
