"""Hyperliquid under the contract suite: a master's account, an agent that signs."""

from __future__ import annotations

from itertools import count

from apps.exchanges.ports import Credentials
from apps.exchanges.venues.hyperliquid.agents import address_of, approve_agent
from moondev.domain.clock import LiveClock, milliseconds
from tests.contract.suite.scene import VenueScene
from tests.contract.suite.venue import Account, VenueUnderTest

_NONCES = count(milliseconds(LiveClock().now()))


def _open_account(scene: VenueScene, number: int, deposit: str) -> Account:
    master, agent = (f"0x{tens + number:064x}" for tens in (0x1000, 0x2000))
    address = address_of(master)
    scene.admin("accounts", address=address, deposit=deposit)
    approve_agent(scene.config, master, address_of(agent), "orders", next(_NONCES))
    return Account(Credentials(address, agent), address.lower())


VENUE = VenueUnderTest(
    protocol="hyperliquid",
    mock="hyperliquid",
    symbols={"BTC": "BTC", "ETH": "ETH"},
    rest_path="/hl",
    websocket_path="/hl/ws",
    open_account=_open_account,
    wrong_key=lambda account: Credentials(account.address, "0x" + "33" * 32),
    placing={"path": "/exchange", "action": "order"},
    cancelling={"path": "/exchange", "action": "cancelByCloid"},
    many_fills=2_010,
)
