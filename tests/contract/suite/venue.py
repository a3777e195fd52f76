"""What the contract suite must be told about a venue in order to hold it to the shared promises.

One module per venue in `venues/`, each with a constant ``VENUE``; they are found by themselves.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from apps.exchanges.ports import Credentials

if TYPE_CHECKING:
    from tests.contract.suite.scene import VenueScene


@dataclass(frozen=True, slots=True)
class Account:
    """An account the mock has opened: what our client signs with, and the engine's name of it."""

    credentials: Credentials
    address: str


@dataclass(frozen=True, slots=True)
class VenueUnderTest:
    """One venue of the suite.

    `protocol` is the registry's word, `mock` the mock exchange's. `symbols` gives the venue's names of the engine's
    BTC and ETH. `rest_path` and `websocket_path` follow the mock's address. `open_account` opens the account of a
    number with a deposit, and returns whose it is.
    `wrong_key` gives credentials of an account with a key that is well formed and not its own.
    `placing` and `cancelling` narrow a fault to the request that does so (path, action), in the wire's words.
    `sockets`: both its streams are websockets.
    `many_fills` is more than the venue tells on one page. `wire` are options of WireConfig.
    """

    protocol: str
    mock: str
    symbols: Mapping[str, str]
    rest_path: str
    websocket_path: str
    open_account: Callable[[VenueScene, int, str], Account]
    wrong_key: Callable[[Account], Credentials]
    placing: Mapping[str, str] = field(default_factory=dict)
    cancelling: Mapping[str, str] = field(default_factory=dict)
    sockets: bool = True
    many_fills: int = 210
    wire: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name under which the suite's tests run."""
        return self.protocol.replace(":", "-")


def venues_under_test() -> list[VenueUnderTest]:
    """Return the venues of every module in `venues/`, by file name."""
    folder = Path(__file__).parent / "venues"
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return [importlib.import_module(f"tests.contract.suite.venues.{name}").VENUE for name in names]
