"""Actions that move money: between the perpetual and the spot side of an account, and to other accounts.

There is no chain behind the mock: what would leave the venue is refused in the venue's form. Sub-accounts and vaults do
not exist here either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

from apps.exchanges.mock.engine.api import ASSET_DECIMALS, CASH_DECIMALS, Done, Rejected
from apps.exchanges.mock.wire.hyperliquid import texts
from apps.exchanges.mock.wire.hyperliquid.numbers import read_address, read_decimal, wire, wire_usd
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field
from apps.exchanges.mock.wire.hyperliquid.replies import RefusedError, default
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import QUOTE, Json

Handler: TypeAlias = Callable[[str, Json], Json]
_PERP, _SPOT = "", "spot"
_USD_PLACES = CASH_DECIMALS
_UNMOVABLE = ("agentSendAsset", "withdraw3")
_SUB_ACCOUNT = " subaccount:"


class Transfers:
    """The handlers of transfers; each takes the account and the action."""

    def __init__(self, venue: Venue) -> None:
        """Act on `venue`."""
        self._venue = venue
        self.handlers: Mapping[str, Handler] = {
            "usdClassTransfer": self._class_transfer,
            "usdSend": self._usd_send,
            "spotSend": self._spot_send,
            "sendAsset": self._send_asset,
            "subAccountTransfer": self._no_sub_account,
            "subAccountSpotTransfer": self._no_sub_account,
            "vaultTransfer": self._no_vault,
            **dict.fromkeys(_UNMOVABLE, self._no_chain),
        }

    def _class_transfer(self, account: str, action: Json) -> Json:
        text, to_perp = field(action, "amount", str), field(action, "toPerp", bool)
        if _SUB_ACCOUNT in text:
            return self._no_sub_account(account, {"subAccountUser": text.partition(_SUB_ACCOUNT)[2]})
        self._cross_over(account, _amount(text, _USD_PLACES), to_perp=to_perp)
        return default()

    def _usd_send(self, account: str, action: Json) -> Json:
        self._give_margin(account, self._receiver(action), _amount(action.get("amount"), _USD_PLACES))
        return default()

    def _spot_send(self, account: str, action: Json) -> Json:
        receiver, token = self._receiver(action), self._token(action)
        self._give_token(account, receiver, token, _amount(action.get("amount"), ASSET_DECIMALS))
        return default()

    def _send_asset(self, account: str, action: Json) -> Json:
        """Move a token within an account or to another one; both sides of each are called dexes here."""
        source, target = field(action, "sourceDex", str), field(action, "destinationDex", str)
        receiver, token = self._receiver(action), self._token(action)
        places = ASSET_DECIMALS if source == target == _SPOT else _USD_PLACES
        amount = _amount(action.get("amount"), places)
        if field(action, "fromSubAccount", str):
            return self._no_sub_account(account, {"subAccountUser": action["fromSubAccount"]})
        if {source, target} - {_PERP, _SPOT}:
            raise RefusedError(f"Invalid dex: {source or target}")
        if token != QUOTE and (source, target) != (_SPOT, _SPOT):
            raise RefusedError(f"Token {token} is not the collateral of that dex.")
        if receiver == account and source != target:
            self._cross_over(account, amount, to_perp=target == _PERP)
        elif source == target == _SPOT:
            self._give_token(account, receiver, token, amount)
        elif source == target:
            self._give_margin(account, receiver, amount)
        else:
            raise RefusedError("Cannot move to another account and another dex at once.")
        return default()

    def _cross_over(self, account: str, amount: Decimal, *, to_perp: bool) -> None:
        _require(self._venue.exchange.transfer(account, QUOTE, amount, to_spot=not to_perp))
        delta = {"type": "accountClassTransfer", "usdc": wire_usd(amount), "toPerp": to_perp}
        self._venue.enter_in_ledger(account, delta)

    def _give_margin(self, account: str, receiver: str, amount: Decimal) -> None:
        _require(self._venue.exchange.send_margin(account, receiver, amount))
        usdc = wire_usd(amount)
        delta = {"type": "internalTransfer", "usdc": usdc, "user": account, "destination": receiver, "fee": "0.0"}
        for party in {account, receiver}:
            self._venue.enter_in_ledger(party, delta)

    def _give_token(self, account: str, receiver: str, token: str, amount: Decimal) -> None:
        _require(self._venue.exchange.send_asset(account, receiver, token, amount))
        delta = {
            "type": "spotTransfer",
            "token": token,
            "amount": wire(amount),
            "usdcValue": wire_usd(self._worth(token, amount)),
            "user": account,
            "destination": receiver,
            "fee": "0.0",
            "nativeTokenFee": "0.0",
            "nonce": None,
        }
        for party in {account, receiver}:
            self._venue.enter_in_ledger(party, delta)

    def _worth(self, token: str, amount: Decimal) -> Decimal:
        pair = next((spec.coin for spec in self._venue.spot.pairs if spec.base == token), None)
        return amount if pair is None else amount * self._venue.exchange.mark(pair)

    def _receiver(self, action: Json) -> str:
        """Return the destination, which gets an account by this when it has none, as at the venue."""
        try:
            receiver = read_address("destination", action.get("destination"))
        except ValueError as error:
            raise MalformedError(str(error)) from error
        if not self._venue.has_account(receiver):
            self._venue.exchange.open_account(receiver, Decimal(0))
        return receiver

    def _token(self, action: Json) -> str:
        token = self._venue.spot.token_named(field(action, "token", str))
        if token is None:
            raise RefusedError(f"Unknown token: {action['token']}")
        return token

    def _no_sub_account(self, account: str, action: Json) -> Json:
        raise RefusedError(f"Invalid sub-account transfer from {account} to {action.get('subAccountUser')}")

    def _no_vault(self, account: str, action: Json) -> Json:  # noqa: ARG002 - a handler's shape
        raise RefusedError(f"Vault not registered: {action.get('vaultAddress')}")

    def _no_chain(self, account: str, action: Json) -> Json:
        raise RefusedError(f"{action['type']} from {account} is not available: there is no chain behind this venue.")


def _amount(raw: object, places: int) -> Decimal:
    """Return an amount with at most so many decimals. Raises MalformedError."""
    try:
        amount = read_decimal("amount", raw)
    except ValueError as error:
        raise MalformedError(str(error)) from error
    if amount != round(amount, places):
        raise MalformedError(f"amount must have at most {places} decimals, got {raw!r}")
    return amount


def _require(result: Done | Rejected) -> None:
    if isinstance(result, Rejected):
        raise RefusedError(texts.NOT_ENOUGH_TO_MOVE)
