"""Numbers as the venue writes them, and amounts as it accepts them.

Outgoing amounts are strings without trailing zeros but with at least one decimal ("64097.0",
"0.00033"), as in every recorded answer. Incoming ones must be plain decimals.
"""

from __future__ import annotations

import re
from decimal import Decimal

_PLAIN = re.compile(r"-?\d{1,20}(\.\d{1,18})?")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SIX_PLACES = Decimal("0.000001")


def wire(value: Decimal) -> str:
    """Return `value` in the venue's spelling, exactly."""
    text = f"{value:f}"
    if "." not in text:
        return text + ".0"
    text = text.rstrip("0")
    if text[-1] == ".":
        text += "0"
    return "0.0" if text == "-0.0" else text


def wire_usd(value: Decimal) -> str:
    """Return an amount of dollars, rounded to the six decimals the venue quotes."""
    return wire(value.quantize(_SIX_PLACES))


def wire_places(value: Decimal, places: int) -> str:
    """Return `value` rounded to `places` decimals."""
    return wire(value.quantize(Decimal(1).scaleb(-places)))


def read_decimal(field: str, raw: object) -> Decimal:
    """Return the plain decimal in `raw`.

    Raises ValueError, naming the field, for anything but a string of digits with an optional point.
    """
    if not isinstance(raw, str) or not _PLAIN.fullmatch(raw):
        raise ValueError(f"{field} must be a decimal string such as '0.1', got {raw!r}")
    return Decimal(raw)


def read_address(field: str, raw: object) -> str:
    """Return the address in `raw` in lower case. Raises ValueError, naming the field."""
    if not isinstance(raw, str) or not _ADDRESS.fullmatch(raw):
        raise ValueError(f"{field} must be 0x and 40 hex digits, got {raw!r}")
    return raw.lower()
