"""What the server asks of a wire: one venue's protocol over one engine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

from aiohttp import web

from apps.exchanges.mock.engine.exchange import Exchange

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """Open an account, or add to it, and make a key known that may act for it.

    `address` is the engine's name of the account, in lower case; `deposit` is in the venue's currency, zero for
    "only the key". Venues with API keys take `api_key` and `api_secret`, chains a compressed `public_key` in base64.
    """

    address: str
    deposit: Decimal
    api_key: str = ""
    api_secret: str = ""
    public_key: str = ""


class Wire(Protocol):
    """One venue over HTTP and websocket."""

    @property
    def name(self) -> str:
        """Return the word for this venue in faults and logs."""
        ...

    @property
    def exchange(self) -> Exchange:
        """Return the engine behind the wire."""
        ...

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, with the venue's prefix."""
        ...

    def push_latest(self, now: float) -> None:
        """Send what changed since the last call and is only worth its latest state; `now` in monotonic seconds."""
        ...

    def disconnect_all(self) -> int:
        """Cut every websocket; return how many there were."""
        ...

    def open_account(self, request: AccountRequest) -> None:
        """Open or add to an account and learn its key. Raises ValueError when the venue could not use the request."""
        ...

    def counts(self) -> Json:
        """Return what the venue has seen: connections, orders, fills, and requests by account and kind."""
        ...
