"""Actions that change the account instead of its orders: leverage, agents, builders, settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

from apps.exchanges.mock.engine.api import Rejected
from apps.exchanges.mock.wire.hyperliquid import texts
from apps.exchanges.mock.wire.hyperliquid.agents import AgentRefusedError
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, coin_of, field, optional
from apps.exchanges.mock.wire.hyperliquid.replies import RefusedError, default
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

Handler: TypeAlias = Callable[[str, Json], Json]
_SUB_ACCOUNT_VOLUME = "100000"
_DOLLAR_UNITS = 1_000_000


class AccountActions:
    """The handlers of account actions; each takes the account and the action."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue = venue
        self._referrers: dict[str, str] = {}
        self.handlers: Mapping[str, Handler] = {
            "updateLeverage": self._update_leverage,
            "updateIsolatedMargin": self._update_isolated_margin,
            "approveAgent": self._approve_agent,
            "approveBuilderFee": self._approve_builder_fee,
            "setReferrer": self._set_referrer,
            "noop": self._accept,
            "evmUserModify": self._accept,
            "createSubAccount": self._create_sub_account,
        }

    def referrer(self, account: str) -> str | None:
        """Return the referral code `account` set, if any."""
        return self._referrers.get(account)

    def _update_leverage(self, account: str, action: Json) -> Json:
        coin = coin_of(self._venue.coins, field(action, "asset", int))
        is_cross, leverage = field(action, "isCross", bool), field(action, "leverage", int)
        result = self._venue.exchange.update_leverage(account, coin, leverage, is_cross=is_cross)
        if isinstance(result, Rejected):
            raise RefusedError(texts.sentence(result))
        return default()

    def _update_isolated_margin(self, account: str, action: Json) -> Json:
        coin = coin_of(self._venue.coins, field(action, "asset", int))
        field(action, "isBuy", bool)  # without meaning while there is one position per coin
        amount = Decimal(field(action, "ntli", int)) / _DOLLAR_UNITS
        result = self._venue.exchange.move_isolated_margin(account, coin, amount)
        if isinstance(result, Rejected):
            raise RefusedError(texts.sentence(result))
        return default()

    def _approve_agent(self, account: str, action: Json) -> Json:
        try:
            address = read_address("agentAddress", action.get("agentAddress"))
        except ValueError as error:
            raise MalformedError(str(error)) from error
        name = optional(action, "agentName", str) or ""
        if self._venue.has_account(address):
            raise RefusedError("Extra agent already used.")
        try:
            replaced = self._venue.agents.approve(account, address, name, self._venue.now_ms())
        except AgentRefusedError as refusal:
            raise RefusedError(str(refusal)) from refusal
        if replaced is not None:
            self._venue.nonces.forget(replaced)
        return default()

    def _approve_builder_fee(self, account: str, action: Json) -> Json:
        self._venue.builders.approve(account, action)
        return default()

    def _set_referrer(self, account: str, action: Json) -> Json:
        self._referrers[account] = field(action, "code", str)
        return default()

    def _accept(self, account: str, action: Json) -> Json:  # noqa: ARG002 - a handler's shape
        return default()

    def _create_sub_account(self, account: str, action: Json) -> Json:
        field(action, "name", str)
        traded = f"{self._venue.volume(account):.2f}"
        raise RefusedError(texts.not_enough_volume("create sub-accounts", _SUB_ACCOUNT_VOLUME, traded))
