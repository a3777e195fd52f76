"""What an account is worth: added up from the wallet and the positions, exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.bybit import parse_account
from apps.exchanges.venues.bybit.messages import Wallet
from tests.unit.apps.exchanges.venues.bybit import recordings
from tests.unit.apps.exchanges.venues.bybit.rows import COIN, POSITION, WALLET, answered

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_equity_is_the_wallet_and_what_the_positions_have_gained_at_the_marks_they_were_told_with() -> None:
    held = parse_account.positions([POSITION, POSITION | {"symbol": "ETHUSDT", "side": "", "size": "0"}])
    account = parse_account.account_snapshot(msgspec.convert(WALLET, Wallet), held, NOW, NOW)
    (position,) = account.positions
    assert (position.quantity.value, position.value.value) == (Decimal("-0.3"), Decimal(-14700))
    assert (position.mark_price.value, position.leverage) == (49_000, 10)
    assert account.equity.value == Decimal("10300.15")
    # Cash is what the fills have moved: 0.3 sold at 50,000.5, on top of the wallet.
    assert account.cash.value == Decimal(10000) + Decimal("0.3") * Decimal("50000.5")
    assert (account.margin_used.value, account.withdrawable.value) == (Decimal(1470), Decimal("8830.15"))


def test_without_any_of_our_currency_there_is_nothing() -> None:
    account = msgspec.convert(WALLET | {"coin": [COIN | {"coin": "BTC"}]}, Wallet)
    assert parse_account.account_snapshot(account, (), None, NOW).equity.value == 0


def test_in_isolated_margin_mode_what_is_free_is_worked_out() -> None:
    account = msgspec.convert(WALLET | {"totalAvailableBalance": ""}, Wallet)
    held = parse_account.positions([POSITION])
    assert parse_account.account_snapshot(account, held, None, NOW).withdrawable.value == Decimal("8830.15")


@pytest.mark.parametrize(
    "fields", [{"size": "x"}, {"markPrice": "0"}, {"side": "None"}, {"positionIdx": 1}, {"unrealisedPnl": ""}]
)
def test_one_odd_position_leaves_the_worth_of_the_account_unknown(fields: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse_account.positions([POSITION | {"symbol": "ETHUSDT"}, POSITION | fields])


def test_more_or_less_than_one_account_is_no_answer() -> None:
    for accounts in ([], [WALLET, WALLET], [{"coin": []}]):
        with pytest.raises(ParseError):
            parse_account.wallet("wallet", answered({"list": accounts}))


def test_positions_and_balances_of_the_stream_are_hints() -> None:
    found = parse_account.position_news([POSITION, POSITION | {"side": "", "size": "0"}, {"symbol": 1}], NOW)
    assert [news.quantity.value for news in found.read] == [Decimal("-0.3"), 0]
    assert len(found.unreadable) == 1
    balances = parse_account.balance_news(
        [WALLET, {"coin": 7}, WALLET | {"coin": [COIN | {"walletBalance": "?"}]}], NOW
    )
    assert [(news.currency, news.wallet) for news in balances.read] == [("USDT", Decimal(10_000))]
    assert len(balances.unreadable) == 2


@pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)
def test_recorded_answers_are_read() -> None:
    (position,) = parse_account.positions(recordings.result("Trading/GetPositions")["list"])
    assert position.quantity.value == -300
    wallet, at = parse_account.wallet("wallet", recordings.answer("Account/GetBalances"))
    assert parse_account.quote_balance(wallet).walletBalance == "0"
    assert at is not None
