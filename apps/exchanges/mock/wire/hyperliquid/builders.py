"""Builders: whoever wrote the client may take a fee on its orders, up to what the account has approved.

https://hyperliquid.gitbook.io/hyperliquid-docs/trading/builder-codes: rates are tenths of a basis point, at most 100 on
perpetuals (0.1 %) and 1,000 on spot pairs (1 %), where only sales pay.
"""

from __future__ import annotations

import re

from apps.exchanges.mock.wire.hyperliquid.numbers import read_address
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, json_object
from apps.exchanges.mock.wire.hyperliquid.replies import RefusedError
from apps.exchanges.mock.wire.hyperliquid.views import Json

_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%")
_TENTHS_PER_PERCENT = 1_000
_MOST_APPROVED = 1_000
_MOST_ON_PERPS = 100
_PPM_PER_TENTH = 10


class BuilderBook:
    """Which builder may take how much of whose orders, in tenths of a basis point."""

    def __init__(self) -> None:
        """Start with nothing approved."""
        self._approved: dict[tuple[str, str], int] = {}

    def approve(self, account: str, action: Json) -> None:
        """Note the rate that `account` grants. Raises MalformedError, and RefusedError for too much."""
        match = _RATE.fullmatch(field(action, "maxFeeRate", str))
        if match is None:
            raise MalformedError(f"maxFeeRate must be a percentage such as 0.01%, got {action['maxFeeRate']!r}")
        tenths = round(float(match[1]) * _TENTHS_PER_PERCENT)
        if tenths > _MOST_APPROVED:
            raise RefusedError("Builder fee too high.")
        self._approved[account, _builder(action.get("builder"))] = tenths

    def approved(self, account: str, builder: object) -> int:
        """Return the rate that `account` granted, zero when it did not."""
        return self._approved.get((account, _builder(builder)), 0)

    def rate_ppm(self, account: str, raw: object, *, is_spot: bool) -> int:
        """Return the builder's fee of an order in millionths, zero without a builder.

        Raises RefusedError for more than was approved.
        """
        if raw is None:
            return 0
        wanted = json_object(raw)
        fee = field(wanted, "f", int)
        if fee < 0:
            raise MalformedError(f"f must be 0 or more, got {fee}")
        if fee > self.approved(account, wanted.get("b")):
            raise RefusedError("Builder fee has not been approved.")
        if fee > _MOST_ON_PERPS and not is_spot:
            raise RefusedError("Builder fee too high.")
        return fee * _PPM_PER_TENTH


def _builder(raw: object) -> str:
    try:
        return read_address("builder", raw)
    except ValueError as error:
        raise MalformedError(str(error)) from error
