"""Binance's USDⓈ-M futures under the contract suite: an account with one API key."""

from __future__ import annotations

from apps.exchanges.ports import Credentials
from tests.contract.suite.scene import VenueScene
from tests.contract.suite.venue import Account, VenueUnderTest


def _open_account(scene: VenueScene, number: int, deposit: str) -> Account:
    address, key, secret = f"suite-{number}", f"suite-key-{number}", f"suite-secret-{number}"
    scene.admin("accounts", address=address, deposit=deposit, api_key=key, api_secret=secret)
    return Account(Credentials(address, f"{key}:{secret}"), address)


VENUE = VenueUnderTest(
    protocol="binance",
    mock="binance",
    symbols={"BTC": "BTCUSDT", "ETH": "ETHUSDT"},
    rest_path="/binance",
    websocket_path="/binance/fstream",
    open_account=_open_account,
    # A key nobody has: the venue gives a listen key to whoever knows a key, without asking for the secret.
    wrong_key=lambda account: Credentials(account.address, f"nobody-{account.credentials.signer_key}"),
    placing={"action": "order"},
    many_fills=1_010,
)
