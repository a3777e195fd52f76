"""Conditional orders: kept apart from ordinary ones, under ids of their own, until their trigger is reached.

A conditional order ties up no margin. When it triggers, an ordinary order with an id of its own but the same client id
is placed; what then happens to it is told as of any order.
https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/New-Algo-Order
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.wire.binance.words import (
    LIMIT_TRIGGERED,
    REMEMBERED,
    STOPS,
    TRAILING,
    symbol_of,
    text,
)
from apps.exchanges.mock.wire.port import Json

NEW, TRIGGERED, FINISHED = "NEW", "TRIGGERED", "FINISHED"
CANCELED, REJECTED, EXPIRED = "CANCELED", "REJECTED", "EXPIRED"
MAX_WAITING = 200
_FIRST_ID = 3_000_000_000_000_000
_HUNDRED = Decimal(100)


@dataclass(slots=True)
class Algo:
    """One conditional order. `callback` is in per cent; prices are in quote currency, times in ms.

    `best` is the most favourable mark since a trailing order became active; None: it has not.
    """

    algo_id: int
    client_id: str
    account: str
    coin: str
    is_buy: bool
    order_type: str
    time_in_force: str
    quantity: Decimal
    price: Decimal
    trigger: Decimal
    reduce_only: bool
    close_position: bool
    working_type: str
    created_ms: int
    updated_ms: int
    callback: Decimal = Decimal(0)
    activate: Decimal | None = None
    best: Decimal | None = None
    status: str = NEW
    triggered_ms: int = 0
    order_id: int | None = None
    reason: str = ""

    def fires(self, mark: Decimal) -> bool:
        """Take a new mark price and return whether it triggers the order."""
        if self.order_type == TRAILING:
            return self._trails(mark)
        upwards = self.is_buy is (self.order_type in STOPS)
        return mark >= self.trigger if upwards else mark <= self.trigger

    def _trails(self, mark: Decimal) -> bool:
        if self.best is None:
            waits = self.activate is not None and (mark > self.activate if self.is_buy else mark < self.activate)
            if waits:
                return False
            self.best = mark
        self.best = min(self.best, mark) if self.is_buy else max(self.best, mark)
        back = self.callback / _HUNDRED
        return mark >= self.best * (1 + back) if self.is_buy else mark <= self.best * (1 - back)

    @property
    def limited(self) -> bool:
        """Return whether it becomes a limit order."""
        return self.order_type in LIMIT_TRIGGERED

    def row(self) -> Json:
        """Return the order as the venue's answers do."""
        trailing = self.order_type == TRAILING
        return {
            "algoId": self.algo_id,
            "clientAlgoId": self.client_id,
            "algoType": "CONDITIONAL",
            "orderType": self.order_type,
            "symbol": symbol_of(self.coin),
            "side": "BUY" if self.is_buy else "SELL",
            "positionSide": "BOTH",
            "timeInForce": self.time_in_force,
            "quantity": text(self.quantity),
            "algoStatus": self.status,
            "triggerPrice": text(self.trigger),
            "price": text(self.price),
            "icebergQuantity": None,
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": self.working_type,
            "priceMatch": "NONE",
            "closePosition": self.close_position,
            "priceProtect": False,
            "reduceOnly": self.reduce_only,
            "activatePrice": text(self.activate) if trailing and self.activate is not None else "",
            "callbackRate": text(self.callback) if trailing else "",
            "createTime": self.created_ms,
            "updateTime": self.updated_ms,
            "triggerTime": self.triggered_ms,
            "goodTillDate": 0,
        }

    def full_row(self, average: str = "0.00000") -> Json:
        """Return the order as GET does: with the ordinary order it became."""
        legs = {"tpTriggerPrice": "0.000", "tpPrice": "0.000", "slTriggerPrice": "0.000", "slPrice": "0.000"}
        actual = {"actualOrderId": str(self.order_id or ""), "actualPrice": average}
        return {**self.row(), **actual, **legs, "tpOrderType": ""}

    def event(self, now_ms: int, executed: str = "0", average: str = "0.00000") -> Json:
        """Return the event of the private stream."""
        order = {
            "caid": self.client_id,
            "aid": self.algo_id,
            "at": "CONDITIONAL",
            "o": self.order_type,
            "s": symbol_of(self.coin),
            "S": "BUY" if self.is_buy else "SELL",
            "ps": "BOTH",
            "f": self.time_in_force,
            "q": text(self.quantity),
            "X": self.status,
            "ai": str(self.order_id or ""),
            "ap": average,
            "aq": executed,
            "act": "LIMIT" if self.limited else "MARKET",
            "tp": text(self.trigger),
            "p": text(self.price),
            "V": "EXPIRE_MAKER",
            "wt": self.working_type,
            "pm": "NONE",
            "cp": self.close_position,
            "pP": False,
            "R": self.reduce_only,
            "tt": self.triggered_ms,
            "gtd": 0,
            "rm": self.reason,
        }
        return {"e": "ALGO_UPDATE", "T": self.updated_ms, "E": now_ms, "o": order}


class AlgoBook:
    """All conditional orders of a venue; the newest are remembered after their end."""

    def __init__(self, now_ms: int) -> None:
        """Start empty; ids follow the time, so that a venue that was restarted gives none twice."""
        self._last = _FIRST_ID + now_ms * 1_000
        self._all: OrderedDict[int, Algo] = OrderedDict()
        self._waiting: dict[int, Algo] = {}
        self._by_name: dict[tuple[str, str], int] = {}
        self._by_order: dict[int, Algo] = {}

    def next_id(self) -> int:
        """Return an id never given before."""
        self._last += 1
        return self._last

    def add(self, algo: Algo) -> None:
        """Let `algo` wait."""
        self._all[algo.algo_id] = self._waiting[algo.algo_id] = algo
        self._by_name[algo.account, algo.client_id] = algo.algo_id
        if len(self._all) > REMEMBERED:
            _, old = self._all.popitem(last=False)
            self._waiting.pop(old.algo_id, None)
            self._by_order.pop(old.order_id or 0, None)
            if self._by_name.get((old.account, old.client_id)) == old.algo_id:
                del self._by_name[old.account, old.client_id]

    def end(self, algo: Algo, status: str, now_ms: int) -> None:
        """Take `algo` out of the waiting ones with its new status."""
        self._waiting.pop(algo.algo_id, None)
        algo.status, algo.updated_ms = status, now_ms

    def became(self, algo: Algo, order_id: int) -> None:
        """Remember which ordinary order a triggered one has become."""
        algo.order_id = order_id
        self._by_order[order_id] = algo

    def find(self, account: str, algo_id: int | None, client_id: str | None) -> Algo | None:
        """Return the order of either id, waiting or not."""
        number = algo_id if algo_id is not None else self._by_name.get((account, client_id or ""))
        algo = self._all.get(number or 0)
        return algo if algo is not None and algo.account == account else None

    def of_order(self, order_id: int) -> Algo | None:
        """Return the conditional order behind an ordinary one."""
        return self._by_order.get(order_id)

    def waiting(self, account: str, coin: str | None = None) -> list[Algo]:
        """Return the waiting orders of an account, oldest first."""
        return [a for a in self._waiting.values() if a.account == account and coin in (None, a.coin)]

    def history(self, account: str, coin: str) -> Iterator[Algo]:
        """Return every order of an account in a coin, oldest first."""
        return (algo for algo in self._all.values() if algo.account == account and algo.coin == coin)

    def fired(self, coin: str, mark: Decimal) -> list[Algo]:
        """Return the waiting orders that a new mark price triggers."""
        return [algo for algo in self._waiting.values() if algo.coin == coin and algo.fires(mark)]
