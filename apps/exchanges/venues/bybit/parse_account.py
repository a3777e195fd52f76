"""What Bybit says of an account's worth: its wallet and its positions. Pure: text in, domain out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from apps.exchanges.ports import AccountSnapshot, BalanceNews, ParseError, PositionNews, PositionSnapshot
from apps.exchanges.venues.bybit.config import QUOTE_CURRENCY
from apps.exchanges.venues.bybit.fields import money, number, optional_number, require_one_way, side
from apps.exchanges.venues.bybit.messages import CoinBalance, Page, PositionEvent, PositionRow, Wallet
from apps.exchanges.venues.bybit.parse import answer, shaped, time_of
from apps.exchanges.venues.rows import Rows, reading, rows
from moondev.domain.clock import from_milliseconds
from moondev.domain.values import ZERO, Money, Price, Side, SignedQuantity


def wallet(what: str, text: str) -> tuple[Wallet, datetime | None]:
    """Return the one account of a wallet-balance answer, and when the venue said so."""
    said = answer(what, text)
    accounts = shaped(what, shaped(what, said.result, Page).rows, list[Wallet])
    if len(accounts) != 1:
        raise ParseError(what, f"{len(accounts)} accounts instead of one", text)
    with reading(what, text):
        return accounts[0], from_milliseconds(said.time) if said.time else None


def quote_balance(account: Wallet) -> CoinBalance:
    """Return what a unified account holds of the currency of our contracts; nothing when it never held any."""
    known = {balance.coin: balance for balance in account.coin}
    return known.get(QUOTE_CURRENCY) or CoinBalance(QUOTE_CURRENCY, "0")


def positions(items: Sequence[object]) -> tuple[PositionSnapshot, ...]:
    """Return the open positions in rows of position/list. Raises ParseError for the first that cannot be read."""
    found = rows("position", items, PositionRow, _position)
    if found.unreadable:
        # Without it the account would seem to be worth something else.
        raise found.unreadable[0]
    return tuple(position for position in found.read if position is not None)


def account_snapshot(
    account: Wallet, held: tuple[PositionSnapshot, ...], at: datetime | None, received: datetime
) -> AccountSnapshot:
    """Return the account at the marks that its positions were told with.

    The venue's own equity would be of another moment than the positions, so it is added up here: the wallet, which
    changes only with fills and funding, and what every position has gained at its mark.
    """
    with reading("account", account):
        balance = quote_balance(account)
        equity = number("walletBalance", balance.walletBalance)
        equity += sum((position.unrealised.value for position in held), ZERO)
        used = _or_zero("totalPositionIM", balance.totalPositionIM)
        waiting = _or_zero("totalOrderIM", balance.totalOrderIM)
        # In dollars, which is near enough for what may be withdrawn; empty in isolated margin mode.
        free = optional_number("totalAvailableBalance", account.totalAvailableBalance)
        return AccountSnapshot(
            equity=Money(equity, QUOTE_CURRENCY),
            withdrawable=Money(equity - used - waiting if free is None else free, QUOTE_CURRENCY),
            margin_used=Money(used, QUOTE_CURRENCY),
            positions=held,
            time_exchange=at,
            time_received=received,
        )


def position_news(items: Sequence[object], received: datetime) -> Rows[PositionNews]:
    """Return the positions of the stream."""
    return rows("position", items, PositionEvent, lambda row: _position_news(row, received))


def balance_news(items: Sequence[object], received: datetime) -> Rows[BalanceNews]:
    """Return the balances of the stream, of every currency."""
    found = rows("wallet", items, Wallet, lambda account: _balances(account, received))
    return Rows(tuple(news for account in found.read for news in account), found.unreadable)


def _balances(account: Wallet, received: datetime) -> list[BalanceNews]:
    return [BalanceNews(c.coin, number("walletBalance", c.walletBalance), None, received) for c in account.coin]


def _position(row: PositionRow) -> PositionSnapshot | None:
    size = number("size", row.size)
    if not size:
        return None
    require_one_way(row.positionIdx)
    held = side(row.side)
    mark, entry = Price(number("markPrice", row.markPrice)), optional_number("avgPrice", row.avgPrice)
    return PositionSnapshot(
        symbol=row.symbol,
        quantity=SignedQuantity(size * held.sign),
        entry_price=None if entry is None else Price(entry),
        mark_price=mark,
        # `positionValue` is at the entry price here.
        value=Money(size * mark.value * held.sign, QUOTE_CURRENCY),
        unrealised=money("unrealisedPnl", row.unrealisedPnl),
        leverage=int(optional_number("leverage", row.leverage) or 1),
    )


def _position_news(row: PositionEvent, received: datetime) -> PositionNews:
    require_one_way(row.positionIdx)
    size = number("size", row.size)
    sign = side(row.side).sign if size else Side.BUY.sign
    return PositionNews(row.symbol, SignedQuantity(size * sign), time_of("updatedTime", row.updatedTime), received)


def _or_zero(field: str, text: str) -> Decimal:
    return optional_number(field, text) or ZERO
