"""Phemex under the contract suite: an account with an API key."""

from __future__ import annotations

from apps.exchanges.ports import Credentials
from tests.contract.suite.scene import VenueScene
from tests.contract.suite.venue import Account, VenueUnderTest


def _open_account(scene: VenueScene, number: int, deposit: str) -> Account:
    address, key, secret = f"phemex-{number}", f"phemex-key-{number}", f"phemex-secret-{number}"
    scene.admin("accounts", address=address, deposit=deposit, api_key=key, api_secret=secret)
    return Account(Credentials(address, f"{key}:{secret}"), address)


def _wrong_key(account: Account) -> Credentials:
    key = account.credentials.signer_key.partition(":")[0]
    return Credentials(account.address, f"{key}:another-secret")


VENUE = VenueUnderTest(
    protocol="phemex",
    mock="phemex",
    symbols={"BTC": "BTCUSDT", "ETH": "ETHUSDT"},
    rest_path="/phemex",
    websocket_path="/phemex/ws",
    open_account=_open_account,
    wrong_key=_wrong_key,
    placing={"path": "/g-orders", "action": "create"},
    many_fills=210,
)
