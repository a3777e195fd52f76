"""The public streams of the spot market: those of the futures, with fewer fields.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from apps.exchanges.mock.wire.binance.hub import Hub
from apps.exchanges.mock.wire.port import Json


class SpotHub(Hub):
    """All public subscriptions of the spot market."""

    def _send(self, stream: str, data: Json | list[Json], kind: str) -> None:
        shaped = [_shaped(stream, row) for row in data] if isinstance(data, list) else _shaped(stream, data)
        super()._send(stream, shaped, kind)


def _shaped(stream: str, row: Json) -> Json:
    """Return a message of the futures as the spot market tells it."""
    event = row.get("e")
    if event == "depthUpdate":
        if stream.partition("@depth")[2].partition("@")[0].isdecimal():
            return {"lastUpdateId": row["u"], "bids": row["b"], "asks": row["a"]}
        return {name: row[name] for name in ("e", "E", "s", "U", "u", "b", "a")}
    if event == "bookTicker":
        return {name: row[name] for name in ("u", "s", "b", "B", "a", "A")}
    if event in {"trade", "aggTrade"}:
        return {name: value for name, value in row.items() if name not in {"X", "nq"}} | {"M": True}
    return row
