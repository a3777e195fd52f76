"""Who signs: API keys, signatures over the text as it was sent, and the window of time.

https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info#signed-trade-and-user_data-endpoint-security
"""

from __future__ import annotations

import re

from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import (
    AHEAD,
    BAD_KEY_FORMAT,
    BAD_SIGNATURE,
    NO_SUCH_KEY,
    OUTSIDE_WINDOW,
    RefusedError,
)
from apps.exchanges.mock.wire.binance.venue import Venue

DEFAULT_WINDOW_MS, LONGEST_WINDOW_MS, AHEAD_MS = 5_000, 60_000, 1_000
_SIGNATURE = re.compile(r"(?:^|&)signature=([^&]*)")


def account_of_key(venue: Venue, key: str) -> str:
    """Return whose key this is. Refuses one that is unknown."""
    if not key:
        raise RefusedError(*BAD_KEY_FORMAT)
    known = venue.keys.find(key)
    if known is None:
        raise RefusedError(*NO_SUCH_KEY)
    return known.account


def account_of_signed(venue: Venue, key: str, text: str, params: Params) -> str:
    """Return who signed `text`, query and body run together as the venue wants it. Refuses what is not signed right."""
    account = account_of_key(venue, key)
    found = _SIGNATURE.search(text)
    if found is None:
        params.text("signature")
        raise RefusedError(*BAD_SIGNATURE)
    require_in_time(venue, params)
    require_signature(venue, key, _SIGNATURE.sub("", text, count=1).removeprefix("&"), found.group(1))
    return account


def require_signature(venue: Venue, key: str, text: str, signature: str) -> None:
    """Refuse a signature that is not that of `key` over `text`."""
    known = venue.keys.find(key)
    if known is None or not known.signs(text, signature):
        raise RefusedError(*BAD_SIGNATURE)


def require_in_time(venue: Venue, params: Params) -> None:
    """Refuse a request from too long ago, or from the future."""
    stamp, window = params.whole("timestamp"), params.whole("recvWindow", DEFAULT_WINDOW_MS)
    if not 0 < window <= LONGEST_WINDOW_MS:
        raise RefusedError(-1131, "recvWindow must be less than 60000.")
    now = venue.now_ms()
    if stamp >= now + AHEAD_MS:
        raise RefusedError(*AHEAD)
    if now - stamp > window:
        raise RefusedError(*OUTSIDE_WINDOW)
