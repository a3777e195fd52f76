"""The spot market's endpoints. Weights after https://developers.binance.com/docs/binance-spot-api-docs/rest-api"""

from __future__ import annotations

from collections.abc import Mapping

from apps.exchanges.mock.wire.binance.endpoints import Endpoint, Path, Security, Weight, without_account
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.spot.public import SpotPublic
from apps.exchanges.mock.wire.binance.spot.reads import SpotReads
from apps.exchanges.mock.wire.binance.spot.trading import SpotTrading

_KINDS = {"POST": "order", "DELETE": "cancel"}


def table(public: SpotPublic, reads: SpotReads, trading: SpotTrading) -> Mapping[Path, Endpoint]:
    """Return every endpoint by method and path."""
    found: dict[Path, Endpoint] = {}
    for name, weight, ask in (
        ("ping", 1, public.ping),
        ("time", 1, public.time),
        ("exchangeInfo", 20, public.exchange_info),
        ("depth", _depth_weight, public.depth),
        ("klines", 2, public.klines),
        ("trades", 25, public.trades),
        ("aggTrades", 4, public.aggregate_trades),
        ("avgPrice", 2, public.average_price),
        ("ticker/24hr", _one_or(2, 80), public.ticker_day),
        ("ticker/price", _one_or(2, 4), public.ticker_price),
        ("ticker/bookTicker", _one_or(2, 4), public.ticker_book),
    ):
        kind = name.rpartition("/")[2]
        found["GET", f"/api/v3/{name}"] = Endpoint(kind, weight, without_account(ask), Security.NOTHING)
    for method, name, weight, act in (
        ("POST", "order", 1, trading.place),
        ("DELETE", "order", 1, trading.cancel),
        ("GET", "order", 4, reads.order),
        ("POST", "order/cancelReplace", 1, trading.replace),
        ("GET", "openOrders", _one_or(6, 80), reads.open_orders),
        ("DELETE", "openOrders", 1, trading.cancel_all),
        ("GET", "allOrders", 20, reads.all_orders),
        ("GET", "account", 20, reads.account),
        ("GET", "myTrades", 20, reads.trades),
    ):
        orders = (1, 1) if method == "POST" else (0, 0)
        kind = _KINDS.get(method, name)
        found[method, f"/api/v3/{name}"] = Endpoint(kind, weight, act, orders=orders, changes=method != "GET")
    found["GET", "/sapi/v1/asset/tradeFee"] = Endpoint("tradeFee", 1, reads.fees)
    found["POST", "/sapi/v1/asset/transfer"] = Endpoint("transfer", 1, reads.transfer, changes=True)
    return found


def _one_or(one: int, every: int) -> Weight:
    return lambda params: every if params.find("symbol") is None else one


def _depth_weight(params: Params) -> int:
    limit = params.whole("limit", 100)
    return next((weight for most, weight in ((100, 5), (500, 25), (1_000, 50)) if limit <= most), 250)
