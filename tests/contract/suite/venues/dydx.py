"""dYdX under the contract suite: an account of the chain that signs with its own key."""

from __future__ import annotations

from apps.exchanges.ports import Credentials
from apps.exchanges.venues.dydx.keys import address_of, public_key_of
from tests.contract.suite.scene import VenueScene
from tests.contract.suite.venue import Account, VenueUnderTest


def _open_account(scene: VenueScene, number: int, deposit: str) -> Account:
    key = f"{0x3000 + number:064x}"
    address = address_of(key)
    scene.admin("accounts", address=address, deposit=deposit, public_key=public_key_of(key))
    return Account(Credentials(address, key), address)


VENUE = VenueUnderTest(
    protocol="dydx",
    mock="dydx",
    symbols={"BTC": "BTC-USD", "ETH": "ETH-USD"},
    rest_path="/dydx",
    websocket_path="/dydx/v4/ws",
    open_account=_open_account,
    wrong_key=lambda account: Credentials(account.credentials.account_address, "33" * 32),
    placing={"path": "/rpc/broadcast_tx_sync", "action": "MsgPlaceOrder"},
    many_fills=1_010,
    # Blocks four times as fast as the chain's: half of the suite waits for one.
    wire={"block_ms": 250},
)
