"""How a wire behaves, whichever venue it speaks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Bounds on websockets per IP, after Hyperliquid's rate-limit page."""

    connections: int = 100
    subscriptions: int = 1_000
    users: int = 10
    messages_per_minute: int = 2_000
    posts_in_flight: int = 100


@dataclass(frozen=True, slots=True)
class WireConfig:
    """How the wire behaves.

    `limits` off lets everybody ask without end. `book_interval_ms` is the shortest time between two
    pushes of one book to one connection (wall time). `schedule_cancel_volume` is what an account must
    have traded, in dollars, before it may schedule a cancel at Hyperliquid: 1,000,000 there, nothing here.
    `default_deposit` is what an account starts with when nobody says otherwise.
    `block_ms` is how long a block of a chain takes (dYdX; run time).
    `max_backlog` is how many unsent messages a slow client may owe before it is cut off.
    """

    limits: bool = True
    book_interval_ms: int = 100
    schedule_cancel_volume: Decimal = Decimal(0)
    default_deposit: Decimal = Decimal(100_000)
    block_ms: int = 1_000
    max_backlog: int = 20_000
    socket: SocketLimits = field(default_factory=SocketLimits)
    maker_fee_bps: Decimal = Decimal("1.5")
    taker_fee_bps: Decimal = Decimal("4.5")
    spot_maker_fee_bps: Decimal = Decimal("4.0")
    spot_taker_fee_bps: Decimal = Decimal("7.0")
