"""Bybit's linear contracts under the contract suite: an account with one API key."""

from __future__ import annotations

from apps.exchanges.ports import Credentials
from tests.contract.suite.scene import VenueScene
from tests.contract.suite.venue import Account, VenueUnderTest


def _open_account(scene: VenueScene, number: int, deposit: str) -> Account:
    address, key, secret = f"bybit-{number}", f"bybit-key-{number}", f"bybit-secret-{number}"
    scene.admin("accounts", address=address, deposit=deposit, api_key=key, api_secret=secret)
    return Account(Credentials(address, f"{key}:{secret}"), address)


VENUE = VenueUnderTest(
    protocol="bybit",
    mock="bybit",
    symbols={"BTC": "BTCUSDT", "ETH": "ETHUSDT"},
    rest_path="/bybit",
    websocket_path="/bybit/v5",
    open_account=_open_account,
    wrong_key=lambda account: Credentials(account.address, account.credentials.signer_key + "-not"),
    placing={"action": "create"},
)
