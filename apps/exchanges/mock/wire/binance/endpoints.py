"""The venue's endpoints: what each costs, who may ask, and what answers it.

Weights after https://developers.binance.com/docs/derivatives/usds-margined-futures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from apps.exchanges.mock.wire.binance.conditional import Conditional
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.public import Public
from apps.exchanges.mock.wire.binance.reads import Reads
from apps.exchanges.mock.wire.binance.trading import Trading

Weight = int | Callable[[Params], int]
Path = tuple[str, str]
Answer = Callable[[str, Params], object]
Row = tuple[str, str, Weight, Answer]


class Security(Enum):
    """What a request must carry."""

    NOTHING = auto()
    KEY = auto()
    SIGNATURE = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    `kind` names it in faults and counters; `orders` count per ten seconds and per minute. Only what `changes` an
    account's orders or settings is counted by account.
    """

    kind: str
    weight: Weight
    answer: Answer
    security: Security = Security.SIGNATURE
    orders: tuple[int, int] = (0, 0)
    changes: bool = False

    def cost(self, params: Params) -> int:
        """Return the weight of a request."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def table(public: Public, reads: Reads, trading: Trading, conditional: Conditional) -> Mapping[Path, Endpoint]:
    """Return every endpoint by method and path."""
    found: dict[Path, Endpoint] = {}
    for path, weight, ask in _open_to_all(public):
        found["GET", path] = Endpoint(_last(path), weight, without_account(ask), Security.NOTHING)
    for method, path, weight, answer in (*_orders(trading, reads), *_conditional(conditional), *_account(reads)):
        kind = _KINDS.get((method, path), _last(path))
        orders = _ORDERS.get((method, path), (0, 0))
        found[method, path] = Endpoint(kind, weight, answer, orders=orders, changes=method != "GET")
    return found


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def without_account(ask: Callable[[Params], object]) -> Answer:
    """Return the answer to a question that is the same for everybody."""
    return lambda _, params: ask(params)


def _open_to_all(public: Public) -> tuple[tuple[str, Weight, Callable[[Params], object]], ...]:
    return (
        ("/fapi/v1/ping", 1, public.ping),
        ("/fapi/v1/time", 1, public.time),
        ("/fapi/v1/exchangeInfo", 1, public.exchange_info),
        ("/fapi/v1/depth", _depth_weight, public.depth),
        ("/fapi/v1/klines", _klines_weight, public.klines),
        ("/fapi/v1/aggTrades", 20, public.aggregate_trades),
        ("/fapi/v1/trades", 5, public.trades),
        ("/fapi/v1/ticker/24hr", _one_or(1, 40), public.ticker_day),
        ("/fapi/v1/ticker/price", _one_or(1, 2), public.ticker_price),
        ("/fapi/v2/ticker/price", _one_or(1, 2), public.ticker_price),
        ("/fapi/v1/ticker/bookTicker", _one_or(2, 5), public.ticker_book),
        ("/fapi/v1/premiumIndex", _one_or(1, 10), public.premium_index),
        ("/fapi/v1/fundingRate", 1, public.funding_rates),
        ("/fapi/v1/fundingInfo", 0, public.funding_info),
        ("/fapi/v1/openInterest", 1, public.open_interest),
    )


def _orders(trading: Trading, reads: Reads) -> tuple[Row, ...]:
    return (
        ("POST", "/fapi/v1/order", 0, trading.place),
        ("PUT", "/fapi/v1/order", 1, trading.amend),
        ("DELETE", "/fapi/v1/order", 1, trading.cancel),
        ("GET", "/fapi/v1/order", 1, reads.order),
        ("POST", "/fapi/v1/batchOrders", 5, trading.place_many),
        ("PUT", "/fapi/v1/batchOrders", 5, trading.amend_many),
        ("DELETE", "/fapi/v1/batchOrders", 1, trading.cancel_many),
        ("DELETE", "/fapi/v1/allOpenOrders", 1, trading.cancel_all),
        ("POST", "/fapi/v1/countdownCancelAll", 10, reads.countdown),
        ("GET", "/fapi/v1/openOrder", 1, reads.open_order),
        ("GET", "/fapi/v1/openOrders", _one_or(1, 40), reads.open_orders),
        ("GET", "/fapi/v1/allOrders", 5, reads.all_orders),
        ("GET", "/fapi/v1/userTrades", 5, reads.trades),
    )


def _conditional(conditional: Conditional) -> tuple[Row, ...]:
    return (
        ("POST", "/fapi/v1/algoOrder", 0, conditional.place),
        ("DELETE", "/fapi/v1/algoOrder", 1, conditional.cancel),
        ("GET", "/fapi/v1/algoOrder", 1, conditional.show),
        ("GET", "/fapi/v1/openAlgoOrders", _one_or(1, 40), conditional.open),
        ("GET", "/fapi/v1/allAlgoOrders", 5, conditional.history),
        ("DELETE", "/fapi/v1/algoOpenOrders", 1, conditional.cancel_all),
    )


def _account(reads: Reads) -> tuple[Row, ...]:
    return (
        ("GET", "/fapi/v3/account", 5, reads.account),
        ("GET", "/fapi/v2/account", 5, reads.account_v2),
        ("GET", "/fapi/v3/balance", 5, reads.balance),
        ("GET", "/fapi/v2/balance", 5, reads.balance),
        ("GET", "/fapi/v3/positionRisk", 5, reads.positions),
        ("GET", "/fapi/v2/positionRisk", 5, reads.positions_v2),
        ("GET", "/fapi/v1/symbolConfig", 5, reads.symbol_config),
        ("GET", "/fapi/v1/accountConfig", 5, reads.account_config),
        ("GET", "/fapi/v1/leverageBracket", 1, reads.brackets),
        ("GET", "/fapi/v1/commissionRate", 20, reads.commission_rate),
        ("GET", "/fapi/v1/income", 30, reads.income),
        ("GET", "/fapi/v1/rateLimit/order", 1, reads.order_limits),
        ("GET", "/fapi/v1/positionSide/dual", 30, reads.sides),
        ("POST", "/fapi/v1/positionSide/dual", 1, reads.set_sides),
        ("GET", "/fapi/v1/multiAssetsMargin", 30, reads.multi_assets),
        ("POST", "/fapi/v1/leverage", 1, reads.set_leverage),
        ("POST", "/fapi/v1/marginType", 1, reads.set_margin_type),
        ("POST", "/fapi/v1/positionMargin", 1, reads.move_margin),
    )


_KINDS: Mapping[Path, str] = {
    ("POST", "/fapi/v1/order"): "order",
    ("POST", "/fapi/v1/batchOrders"): "order",
    ("POST", "/fapi/v1/algoOrder"): "order",
    ("PUT", "/fapi/v1/order"): "amend",
    ("PUT", "/fapi/v1/batchOrders"): "amend",
    ("DELETE", "/fapi/v1/order"): "cancel",
    ("DELETE", "/fapi/v1/batchOrders"): "cancel",
    ("DELETE", "/fapi/v1/algoOrder"): "cancel",
}
# A batch counts as five orders in ten seconds, but as one in a minute.
_ORDERS: Mapping[Path, tuple[int, int]] = {
    ("POST", "/fapi/v1/order"): (1, 1),
    ("PUT", "/fapi/v1/order"): (1, 1),
    ("POST", "/fapi/v1/algoOrder"): (1, 1),
    ("POST", "/fapi/v1/batchOrders"): (5, 1),
    ("PUT", "/fapi/v1/batchOrders"): (5, 1),
}


def _one_or(one: int, every: int) -> Weight:
    return lambda params: every if params.find("symbol") is None else one


def _depth_weight(params: Params) -> int:
    limit = params.whole("limit", 500)
    return next((weight for most, weight in ((50, 2), (100, 5), (500, 10)) if limit <= most), 20)


def _klines_weight(params: Params) -> int:
    limit = params.whole("limit", 500)
    return next((weight for most, weight in ((99, 1), (499, 2), (1_000, 5)) if limit <= most), 10)
