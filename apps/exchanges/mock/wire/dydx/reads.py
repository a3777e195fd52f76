"""What the indexer answers: public data, and the accounts' own, which on a chain is public too.

https://docs.dydx.xyz/indexer-client/http
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from apps.exchanges.mock.engine.api import OrderSnapshot
from apps.exchanges.mock.engine.bars import interval_ms
from apps.exchanges.mock.wire.dydx import views
from apps.exchanges.mock.wire.dydx.chain import Blocks
from apps.exchanges.mock.wire.dydx.facts import OrderFacts
from apps.exchanges.mock.wire.dydx.refusals import RefusedRead
from apps.exchanges.mock.wire.dydx.venue import Venue
from apps.exchanges.mock.wire.dydx.words import RESOLUTIONS, SUBACCOUNT, iso
from apps.exchanges.mock.wire.port import Json
from moondev.domain.clock import milliseconds

LARGEST_PAGE = 1_000
BOOK_LEVELS = 100
# The engine keeps that many ended orders of an account within reach of one question.
_HISTORY = 2_000
Parameters = Mapping[str, str]
T = TypeVar("T")
Answer = Callable[[Parameters], object]


class Reads:
    """The indexer's questions by path; names in braces are taken from the path."""

    def __init__(self, venue: Venue) -> None:
        """Answer for `venue`."""
        self._venue, self._exchange = venue, venue.exchange
        account = "/addresses/{address}/subaccountNumber/{subaccountNumber}"
        self.answers: Mapping[str, Answer] = {
            "/time": self._time,
            "/height": self._height,
            "/perpetualMarkets": self._markets,
            "/orderbooks/perpetualMarket/{market}": self._book,
            "/trades/perpetualMarket/{market}": self._trades,
            "/candles/perpetualMarkets/{market}": self._candles,
            "/historicalFunding/{market}": self._funding_rates,
            "/addresses/{address}": self._address,
            account: lambda asked: {"subaccount": self.subaccount(self._account(asked))},
            "/perpetualPositions": self._positions,
            "/assetPositions": self._assets,
            "/orders": self._orders,
            "/orders/{orderId}": self._order,
            "/fills": self._fills,
            "/fundingPayments": self._funding_payments,
            "/transfers": self._transfers,
        }

    def market_rows(self) -> dict[str, Json]:
        """Return every market, by ticker."""
        rows = {}
        for ticker, coin in self._venue.coins.items():
            now = self._venue.now_ms()
            day = self._exchange.candles(coin, "1h", now - 86_400_000, now)
            spec, scale = self._venue.specs[coin], self._venue.scales[coin]
            context = self._exchange.asset_context(coin)
            rows[ticker] = views.market(spec, scale, context, sum(bar.trades for bar in day))
        return rows

    def subaccount(self, account: str) -> Json:
        """Return an account's one subaccount."""
        state = self._exchange.account_state(account)
        return views.subaccount(state, self.position_rows(account), self._venue.chain.height)

    def position_rows(self, account: str) -> list[Json]:
        """Return an account's open positions."""
        states = self._exchange.account_state(account).positions
        stories, now = self._venue.stories, self._venue.now_ms()
        return [views.position(self._venue.blocks, state, stories.of(account, state.coin), now) for state in states]

    def open_order_rows(self, account: str) -> list[Json]:
        """Return an account's live orders, newest first."""
        live = self._known(account, self._exchange.open_orders(account)[::-1])
        return [views.order(self._venue.blocks, row, facts) for row, facts in live]

    def candle_rows(
        self, coin: str, resolution: str, limit: int, start_ms: int = 0, end_ms: int | None = None
    ) -> list[Json]:
        """Return the newest candles that open within the span, newest first; without a trade there is none."""
        interval = RESOLUTIONS[resolution]
        last = self._venue.now_ms() if end_ms is None else end_ms - 1
        # As far back as could be needed, twice over for bars without a trade.
        first = max(start_ms, last - 2 * limit * interval_ms(interval))
        bars = [bar for bar in self._exchange.candles(coin, interval, first, last) if bar.trades]
        interest = self._exchange.asset_context(coin).open_interest
        return [views.candle(bar, resolution, interest) for bar in bars[-limit:][::-1]]

    def coin(self, ticker: str) -> str:
        """Return the coin of a ticker. Raises RefusedRead when there is no such market."""
        coin = self._venue.coins.get(ticker)
        if coin is None:
            raise RefusedRead(400, "ticker must be a valid ticker (BTC-USD, etc)")
        return coin

    def _time(self, _: Parameters) -> Json:
        now = self._venue.now_ms()
        return {"iso": iso(now), "epoch": now / 1000}

    def _height(self, _: Parameters) -> Json:
        height = self._venue.chain.height
        return {"height": str(height), "time": iso(self._venue.blocks.time_ms(height))}

    def _markets(self, asked: Parameters) -> Json:
        rows = self.market_rows()
        ticker = asked.get("ticker", asked.get("market", ""))
        if ticker:
            self.coin(ticker)
            rows = {ticker: rows[ticker]}
        return {"markets": rows}

    def _book(self, asked: Parameters) -> Json:
        return views.book(self._exchange.book(self.coin(asked["market"]), BOOK_LEVELS))

    def _trades(self, asked: Parameters) -> Json:
        coin, before = self.coin(asked["market"]), _moment(self._venue.blocks, asked, "createdBeforeOrAt")
        rows = self._exchange.trades(coin, LARGEST_PAGE if before is not None else _limit(asked))
        kept = [row for row in rows if before is None or row.time_ms <= before]
        return {"trades": [views.trade(self._venue.blocks, row) for row in kept[: _limit(asked)]]}

    def _candles(self, asked: Parameters) -> Json:
        coin, resolution = self.coin(asked["market"]), asked.get("resolution", "")
        if resolution not in RESOLUTIONS:
            raise RefusedRead(400, f"resolution must be a valid Candle Resolution, one of {','.join(RESOLUTIONS)}")
        start, end = _moment(self._venue.blocks, asked, "fromISO"), _moment(self._venue.blocks, asked, "toISO")
        limit = min(_limit(asked), LARGEST_PAGE)
        return {"candles": self.candle_rows(coin, resolution, limit, start or 0, end)}

    def _funding_rates(self, asked: Parameters) -> Json:
        coin, before = self.coin(asked["market"]), _moment(self._venue.blocks, asked, "effectiveBeforeOrAt")
        rates = self._exchange.funding_history(coin, 0, before)[-_limit(asked) :][::-1]
        price = self._exchange.mark(coin)
        return {"historicalFunding": [views.funding_rate(self._venue.blocks, rate, price) for rate in rates]}

    def _address(self, asked: Parameters) -> Json:
        address = asked["address"].lower()
        if address not in self._exchange.addresses():
            raise RefusedRead(404, f"No subaccounts found for address {address}")
        return {"subaccounts": [self.subaccount(address)], "totalTradingRewards": "0"}

    def _positions(self, asked: Parameters) -> Json:
        wanted = _words(asked, "status")
        rows = self.position_rows(self._account(asked))
        # Positions that were closed are not kept: who asks for those alone is told of none.
        return {"positions": rows if not wanted or "OPEN" in wanted else []}

    def _assets(self, asked: Parameters) -> Json:
        state = self._exchange.account_state(self._account(asked))
        return {"positions": list(views.asset_positions(state).values())}

    def _orders(self, asked: Parameters) -> list[Json]:
        account, wanted = self._account(asked), _words(asked, "status")
        rows = [*self._exchange.open_orders(account)[::-1], *self._exchange.order_history(account, _HISTORY)]
        found = []
        for row, facts in self._known(account, rows):
            if not _shown(row, facts) or asked.get("ticker") not in (None, "", f"{facts.coin}-USD"):
                continue
            told = views.order(self._venue.blocks, row, facts)
            if (not wanted or told["status"] in wanted) and asked.get("side") in (None, "", told["side"]):
                found.append(told)
        return found[: _limit(asked)]

    def _order(self, asked: Parameters) -> Json:
        name = asked["orderId"]
        facts = self._venue.facts.named(name)
        row = None if facts is None else self._venue.order(facts)
        if facts is None or row is None or not _shown(row, facts):
            raise RefusedRead(404, f"Unable to find order id {name}")
        return views.order(self._venue.blocks, row, facts)

    def _fills(self, asked: Parameters) -> Json:
        account, before = self._account(asked), _moment(self._venue.blocks, asked, "createdBeforeOrAt")
        ticker = asked.get("market", "")
        coin = self.coin(ticker) if ticker else None
        newest = self._exchange.fills(account, 0, before)[::-1]
        rows = [row for row in newest if coin in (None, row.coin)]
        told = [views.fill(self._venue.blocks, row, self._venue.facts.of(row.oid)) for row in _page(asked, rows)]
        return {"fills": told, **_paging(asked, len(rows))}

    def _funding_payments(self, asked: Parameters) -> Json:
        account, after = self._account(asked), _moment(self._venue.blocks, asked, "afterOrAt")
        newest = self._exchange.funding_payments(account, after or 0)[::-1]
        rows = _page(asked, newest)
        told = [views.funding_payment(self._venue.blocks, row, self._paid_at(row.coin, row.time_ms)) for row in rows]
        return {"fundingPayments": told, **_paging(asked, len(newest))}

    def _transfers(self, asked: Parameters) -> Json:
        account = self._account(asked)
        return {"transfers": list(self._venue.transfers.get(account, []))[::-1][: _limit(asked)]}

    def _paid_at(self, coin: str, time_ms: int) -> Decimal:
        bars = self._exchange.candles(coin, "1m", time_ms - 60_000, time_ms)
        return bars[-1].open if bars else self._exchange.mark(coin)

    def _account(self, asked: Parameters) -> str:
        address, number = asked.get("address", "").lower(), asked.get("subaccountNumber", "")
        if not address:
            raise RefusedRead(400, "address must be a valid dydx address")
        if not number.isdecimal():
            raise RefusedRead(400, "subaccountNumber must be a non-negative integer less than 128001")
        if address not in self._exchange.addresses() or int(number) != SUBACCOUNT:
            raise RefusedRead(404, f"No subaccount found with address {address} and subaccountNumber {number}")
        return address

    def _known(self, account: str, rows: list[OrderSnapshot]) -> list[tuple[OrderSnapshot, OrderFacts]]:
        pairs = [(row, self._venue.facts.current(row.oid)) for row in rows]
        return [(row, facts) for row, facts in pairs if facts is not None and facts.account == account]


def _shown(row: OrderSnapshot, facts: OrderFacts) -> bool:
    """Return whether the indexer has an order: a short-term one that ended without a fill never came to its books."""
    return not (facts.short_term and row.status.final and not row.filled)


def _words(asked: Parameters, name: str) -> set[str]:
    return {word for word in asked.get(name, "").split(",") if word}


def _limit(asked: Parameters) -> int:
    raw = asked.get("limit", "")
    if not raw:
        return LARGEST_PAGE
    if not raw.isdecimal() or not 0 < int(raw) <= LARGEST_PAGE:
        raise RefusedRead(400, f"limit must be a positive integer that is not greater than max: {LARGEST_PAGE}")
    return int(raw)


def _page(asked: Parameters, rows: list[T]) -> list[T]:
    """Return the rows of the page that is asked for, the first when none is."""
    limit, number = _limit(asked), asked.get("page", "") or "1"
    if not number.isdecimal() or int(number) < 1:
        raise RefusedRead(400, "page must be a positive integer")
    return rows[(int(number) - 1) * limit : int(number) * limit]


def _paging(asked: Parameters, total: int) -> Json:
    """Return what the venue says about the pages to those who ask for one."""
    if not asked.get("page"):
        return {}
    limit = _limit(asked)
    return {"pageSize": limit, "totalResults": total, "offset": (int(asked["page"]) - 1) * limit}


def _moment(blocks: Blocks, asked: Parameters, name: str) -> int | None:
    """Return a time in milliseconds; None when it is not given. A height may stand for it."""
    height = asked.get(f"{name}Height", "")
    if height:
        if not height.isdecimal():
            raise RefusedRead(400, f"{name}Height must be a non-negative integer")
        return blocks.time_ms(int(height) + 1) - 1
    raw = asked.get(name, "")
    if not raw:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RefusedRead(400, f"{name} must be a valid ISO string")
    return milliseconds(moment)
