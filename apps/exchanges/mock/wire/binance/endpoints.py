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


class Security(Enum):
    """What a request must carry."""

    NOTHING = auto()
    KEY = auto()
    SIGNATURE = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. `kind` names it in faults and counters; `orders` count per ten seconds and per minute."""

    kind: str
    weight: Weight
    answer: Callable[[str, Params], object]
    security: Security = Security.SIGNATURE
    orders: tuple[int, int] = (0, 0)

    def cost(self, params: Params) -> int:
        """Return the weight of a request."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def table(public: Public, reads: Reads, trading: Trading, conditional: Conditional) -> Mapping[Path, Endpoint]:
    """Return every endpoint by method and path."""
    found: dict[Path, Endpoint] = {}

    def open_to_all(path: str, weight: Weight, answer: Callable[[Params], object]) -> None:
        kind = path.rpartition("/")[2]
        found["GET", path] = Endpoint(kind, weight, lambda _, params: answer(params), Security.NOTHING)

    def signed(method: str, path: str, weight: Weight, answer: Callable[[str, Params], object]) -> None:
        kind = path.rpartition("/")[2] if method == "GET" else _KINDS.get((method, path), path.rpartition("/")[2])
        found[method, path] = Endpoint(kind, weight, answer, orders=_ORDERS.get((method, path), (0, 0)))

    open_to_all("/fapi/v1/ping", 1, public.ping)
    open_to_all("/fapi/v1/time", 1, public.time)
    open_to_all("/fapi/v1/exchangeInfo", 1, public.exchange_info)
    open_to_all("/fapi/v1/depth", _depth_weight, public.depth)
    open_to_all("/fapi/v1/klines", _klines_weight, public.klines)
    open_to_all("/fapi/v1/aggTrades", 20, public.aggregate_trades)
    open_to_all("/fapi/v1/trades", 5, public.trades)
    open_to_all("/fapi/v1/ticker/24hr", _one_or(1, 40), public.ticker_day)
    open_to_all("/fapi/v1/ticker/price", _one_or(1, 2), public.ticker_price)
    open_to_all("/fapi/v2/ticker/price", _one_or(1, 2), public.ticker_price)
    open_to_all("/fapi/v1/ticker/bookTicker", _one_or(2, 5), public.ticker_book)
    open_to_all("/fapi/v1/premiumIndex", _one_or(1, 10), public.premium_index)
    open_to_all("/fapi/v1/fundingRate", 1, public.funding_rates)
    open_to_all("/fapi/v1/fundingInfo", 0, public.funding_info)
    open_to_all("/fapi/v1/openInterest", 1, public.open_interest)

    signed("POST", "/fapi/v1/order", 0, trading.place)
    signed("PUT", "/fapi/v1/order", 1, trading.amend)
    signed("DELETE", "/fapi/v1/order", 1, trading.cancel)
    signed("GET", "/fapi/v1/order", 1, reads.order)
    signed("POST", "/fapi/v1/batchOrders", 5, trading.place_many)
    signed("PUT", "/fapi/v1/batchOrders", 5, trading.amend_many)
    signed("DELETE", "/fapi/v1/batchOrders", 1, trading.cancel_many)
    signed("DELETE", "/fapi/v1/allOpenOrders", 1, trading.cancel_all)
    signed("POST", "/fapi/v1/countdownCancelAll", 10, reads.countdown)
    signed("GET", "/fapi/v1/openOrder", 1, reads.open_order)
    signed("GET", "/fapi/v1/openOrders", _one_or(1, 40), reads.open_orders)
    signed("GET", "/fapi/v1/allOrders", 5, reads.all_orders)
    signed("GET", "/fapi/v1/userTrades", 5, reads.trades)
    signed("POST", "/fapi/v1/algoOrder", 0, conditional.place)
    signed("DELETE", "/fapi/v1/algoOrder", 1, conditional.cancel)
    signed("GET", "/fapi/v1/algoOrder", 1, conditional.show)
    signed("GET", "/fapi/v1/openAlgoOrders", _one_or(1, 40), conditional.open)
    signed("GET", "/fapi/v1/allAlgoOrders", 5, conditional.history)
    signed("DELETE", "/fapi/v1/algoOpenOrders", 1, conditional.cancel_all)

    signed("GET", "/fapi/v3/account", 5, reads.account)
    signed("GET", "/fapi/v2/account", 5, reads.account_v2)
    signed("GET", "/fapi/v3/balance", 5, reads.balance)
    signed("GET", "/fapi/v2/balance", 5, reads.balance)
    signed("GET", "/fapi/v3/positionRisk", 5, reads.positions)
    signed("GET", "/fapi/v2/positionRisk", 5, reads.positions_v2)
    signed("GET", "/fapi/v1/symbolConfig", 5, reads.symbol_config)
    signed("GET", "/fapi/v1/accountConfig", 5, reads.account_config)
    signed("GET", "/fapi/v1/leverageBracket", 1, reads.brackets)
    signed("GET", "/fapi/v1/commissionRate", 20, reads.commission_rate)
    signed("GET", "/fapi/v1/income", 30, reads.income)
    signed("GET", "/fapi/v1/rateLimit/order", 1, reads.order_limits)
    signed("GET", "/fapi/v1/positionSide/dual", 30, reads.sides)
    signed("POST", "/fapi/v1/positionSide/dual", 1, reads.set_sides)
    signed("GET", "/fapi/v1/multiAssetsMargin", 30, reads.multi_assets)
    signed("POST", "/fapi/v1/leverage", 1, reads.set_leverage)
    signed("POST", "/fapi/v1/marginType", 1, reads.set_margin_type)
    return found


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
