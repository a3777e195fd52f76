"""What a websocket client may subscribe to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apps.exchanges.mock.engine.bars import INTERVALS
from apps.exchanges.mock.wire.hyperliquid.info_account import read_user
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, json_object, optional
from apps.exchanges.mock.wire.hyperliquid.views import Json


@dataclass(frozen=True, slots=True)
class Topic:
    """One stream of messages. Fields that do not belong to its kind are empty.

    `figures` and `mantissa` thin out a book as nSigFigs and mantissa do in a request.
    """

    kind: str
    coin: str = ""
    user: str = ""
    interval: str = ""
    figures: int | None = None
    mantissa: int | None = None
    aggregate: bool = False


def read_topic(raw: object, coins: Mapping[str, int]) -> Topic:
    """Return the topic of a subscription. Raises MalformedError when there is no such stream."""
    wanted = json_object(raw)
    kind = field(wanted, "type", str)
    reader = _READERS.get(kind)
    if reader is None:
        raise MalformedError(f"type must be one of {', '.join(_READERS)}, got {kind!r}")
    topic = reader(kind, wanted)
    if topic.coin and topic.coin not in coins:
        raise MalformedError(f"coin must be one of {', '.join(coins)}, got {topic.coin!r}")
    return topic


def _market(kind: str, wanted: Json) -> Topic:
    return Topic(kind, coin=field(wanted, "coin", str))


def _user(kind: str, wanted: Json) -> Topic:
    return Topic(kind, user=read_user(wanted))


def _fills(kind: str, wanted: Json) -> Topic:
    return Topic(kind, user=read_user(wanted), aggregate=wanted.get("aggregateByTime") is True)


def _book(kind: str, wanted: Json) -> Topic:
    figures, mantissa = optional(wanted, "nSigFigs", int), optional(wanted, "mantissa", int)
    if figures not in (None, 2, 3, 4, 5) or mantissa not in (None, 1, 2, 5):
        raise MalformedError(f"nSigFigs must be 2 to 5 and mantissa 1, 2 or 5, got {figures} and {mantissa}")
    return Topic(kind, coin=field(wanted, "coin", str), figures=figures, mantissa=mantissa)


def _candle(kind: str, wanted: Json) -> Topic:
    interval = field(wanted, "interval", str)
    if interval not in INTERVALS:
        raise MalformedError(f"interval must be one of {', '.join(INTERVALS)}, got {interval!r}")
    return Topic(kind, coin=field(wanted, "coin", str), interval=interval)


_READERS: Mapping[str, Callable[[str, Json], Topic]] = {
    "allMids": lambda kind, _: Topic(kind),
    "l2Book": _book,
    "bbo": _market,
    "trades": _market,
    "candle": _candle,
    "activeAssetCtx": _market,
    "activeAssetData": lambda kind, wanted: Topic(kind, coin=field(wanted, "coin", str), user=read_user(wanted)),
    "orderUpdates": _user,
    "userEvents": _user,
    "userFills": _fills,
    "userFundings": _user,
    "userNonFundingLedgerUpdates": _user,
    "webData2": _user,
    "clearinghouseState": _user,
    "spotState": _user,
    "openOrders": _user,
}
