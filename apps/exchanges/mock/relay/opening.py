"""From ``relay:<venue>`` to a source whose first prices are known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from apps.exchanges.mock.relay.dialects import DIALECTS
from apps.exchanges.mock.relay.seen import BookSeen, Seen
from apps.exchanges.mock.relay.source import Patience, Source
from moondev.domain.errors import InvalidValue

PREFIX = "relay:"
FIRST_PRICES_SECONDS = 20.0


def source_named(text: str, coins: Sequence[str], patience: Patience | None = None) -> Source:
    """Return the source of ``relay:<venue>`` or ``relay:<venue>@<websocket address>``. Raises InvalidValue."""
    venue, _, address = text.removeprefix(PREFIX).partition("@")
    if venue not in DIALECTS:
        allowed = ", ".join(PREFIX + name for name in DIALECTS)
        raise InvalidValue("feed", text, f"one of {allowed}, with @ and an address of your own if need be")
    if address and not address.startswith(("ws://", "wss://")):
        raise InvalidValue("feed", text, "an address that starts with ws:// or wss://")
    return Source(venue, coins, address or None, patience)


def first_prices(source: Source) -> Mapping[str, float]:
    """Listen until every coin has had a book; return the middle of each. Raises InvalidValue when one stays silent."""
    return asyncio.run(_first_prices(source, FIRST_PRICES_SECONDS))


async def _first_prices(source: Source, seconds: float) -> Mapping[str, float]:
    probe = Source(source.venue, source.coins, source.address)
    prices: dict[str, float] = {}
    complete = asyncio.Event()

    def hear(seen: Seen) -> None:
        if isinstance(seen, BookSeen) and seen.bids and seen.asks:
            prices[seen.coin] = (max(seen.bids) + min(seen.asks)) / 2
        if all(coin in prices for coin in source.coins):
            complete.set()

    probe.follow(hear)
    listening = asyncio.create_task(probe.run())
    try:
        async with asyncio.timeout(seconds):
            await complete.wait()
    except TimeoutError as error:
        silent = ", ".join(coin for coin in source.coins if coin not in prices)
        why = probe.health()["last_failure"]
        raise InvalidValue(
            "feed", f"relay of {source.address}", f"a venue that tells books of {silent} ({why})"
        ) from error
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return prices
