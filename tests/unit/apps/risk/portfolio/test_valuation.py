"""The figures: exact in every cut, in one currency, and unknown where something is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.models import UNASSIGNED
from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from apps.risk.portfolio.conversion import Conversion, Rate
from apps.risk.portfolio.figures import AMOUNTS, Figures
from apps.risk.portfolio.valuation import Capital, Seen, SeenAccount, Stake, value
from moondev.domain.values import Money, Price, SignedQuantity

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
RATES = Conversion.of([Rate("USDC", "USDT", D("1.25"), NOW, fresh=True)])


def position(symbol: str, quantity: object, mark: object, currency: str) -> PositionSnapshot:
    size, price = D(str(quantity)), D(str(mark))
    worth = Money(size * price, currency)
    return PositionSnapshot(symbol, SignedQuantity(size), None, Price(price), worth, Money(D(0), currency), 1)


def snapshot(equity: object, currency: str, *positions: PositionSnapshot, margin: object = 0) -> AccountSnapshot:
    money = Money(D(str(equity)), currency)
    return AccountSnapshot(money, money, Money(D(str(margin)), currency), positions, None, NOW)


HL = SeenAccount(
    1, "hl-1", "hl", "main", "live", "USDC", snapshot(1000, "USDC", position("BTC", 2, 100, "USDC"), margin=50)
)
BN = SeenAccount(
    2, "bn-1", "bn", "main", "live", "USDT", snapshot(500, "USDT", position("BTCUSDT", -1, 125, "USDT"), margin=10)
)
LONG = Stake(1, "turtle", "BTC", "BTC", "USDC", D(2), D(180), D(7), D(3), D(1), D("0.5"))
SHORT = Stake(2, "basis", "BTCUSDT", "BTC", "USDT", D(-1), D(-120), D(5), D(1), D(-1), D(-2))
ORPHAN = Stake(1, UNASSIGNED, "ETH", "ETH", "USDC", D(0), D(0), D(-4), D(1), D(0), D(0))
SEEN = Seen(
    NOW, (HL, BN), (LONG, SHORT, ORPHAN), (Capital("turtle", 1, D(400)), Capital("basis", 2, D(200))),
    {("hl", "BTC"): "BTC", ("bn", "BTCUSDT"): "BTC"}, RATES, {"live": "USDT", "paper": "USDC"},
)  # fmt: skip


def of(level: str, key: str, seen: Seen = SEEN) -> Figures:
    return value(seen)["paper" if level == "paper" else "live", level, key]


def test_everything_is_in_the_reporting_currency_by_explicit_rates() -> None:
    total = of("total", "live")
    assert total.currency == "USDT"
    assert (total.equity, total.margin_used, total.margin_free) == (1750, D("72.5"), D("1677.5"))
    assert of("account", "hl-1").equity == 1250
    assert of("venue", "bn").equity == 500
    assert of("portfolio", "main").equity == 1750
    assert (total.fees, total.funding) == (6, D("0.25"))


def test_an_asset_is_one_across_venues_whatever_it_is_called_there() -> None:
    btc = of("asset", "BTC")
    assert (btc.gross_exposure, btc.net_exposure) == (375, 125)
    assert (btc.realised, btc.unrealised) == (D("13.75"), 20)
    assert btc.equity is None
    assert of("asset", "ETH").realised == -5


def test_a_strategy_is_worth_its_capital_and_what_it_has_made() -> None:
    turtle = of("strategy", "turtle")
    # (400 + 7 + 20 - 3 + 1) x 1.25
    assert turtle.equity == D("531.25")
    assert (turtle.gross_exposure, turtle.slippage) == (250, D("0.625"))
    assert turtle.net_profit == turtle.gross_profit - turtle.fees + turtle.funding == D("31.25")
    # Nobody was given capital for what nobody owns.
    assert of("strategy", UNASSIGNED).equity is None
    assert of("strategy", UNASSIGNED).net_profit == D("-6.25")


def test_without_a_rate_what_needs_it_is_unknown_and_says_why() -> None:
    seen = replace(SEEN, conversion=Conversion())
    total = of("total", "live", seen)
    assert (total.equity, total.gross_exposure, total.fees, total.net_profit) == (None, None, None, None)
    assert total.why == "no rate of USDC in USDT"
    assert of("strategy", "basis", seen).equity == 200 + 5 - 5 - 1 - 1
    assert of("venue", "bn", seen).equity == 500


def test_an_account_out_of_sight_is_unknown_and_counts_at_least_with_what_it_had_free() -> None:
    seen = replace(SEEN, accounts=(replace(HL, snapshot=None, unseen=D(800)), BN))
    account, total = of("account", "hl-1", seen), of("total", "live", seen)
    assert (account.equity, account.equity_at_least, account.gross_exposure) == (None, 1000, None)
    assert (total.equity, total.equity_at_least, total.unrealised) == (None, 1500, None)
    assert "hl-1 does not answer" in total.why
    # What was realised is in our own books, whether or not the venue answers.
    assert total.realised == D("8.75") + 5 - 5
    assert of("asset", "BTC", seen).gross_exposure is None
    assert of("asset", "ETH", seen).realised == -5
    nobody = replace(SEEN, accounts=(replace(HL, snapshot=None), BN))
    assert of("total", "live", nobody).equity_at_least is None


def test_a_position_takes_the_mark_of_another_account_of_its_venue() -> None:
    netted = replace(HL, account_id=3, code="hl-2", snapshot=snapshot(10, "USDC"))
    stakes = tuple(replace(LONG, account_id=3, strategy=name, quantity=D(q)) for name, q in (("a", 1), ("b", -1)))
    assert of("strategy", "a", replace(SEEN, accounts=(HL, netted), stakes=stakes)).unrealised == D("1.25") * (
        100 - 180
    )
    alone = of("strategy", "a", replace(SEEN, accounts=(netted,), stakes=stakes))
    assert (alone.unrealised, alone.why) == (None, "hl gives no mark of BTC")


def test_paper_money_and_real_money_are_never_added_up() -> None:
    paper = replace(HL, account_id=3, code="p", portfolio="paper", environment="paper")
    stake = replace(LONG, account_id=3)
    found = value(replace(SEEN, accounts=(HL, BN, paper), stakes=(LONG, stake)))
    assert found["live", "total", "live"].equity == 1750
    assert found["paper", "total", "paper"].equity == 1000
    assert found["paper", "strategy", "turtle"].unrealised == 20
    assert found["live", "strategy", "turtle"].unrealised == 25
    assert found["paper", "asset", "BTC"].net_exposure == 200


amounts = st.decimals(-(10**7), 10**7, places=12)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([1, 2]), st.sampled_from(["a", "b", UNASSIGNED]), st.sampled_from(["BTC", "ETH"]),
            st.integers(-50, 50), *[amounts] * 5,
        ),
        max_size=25,
    ),
    rate=st.decimals("0.0001", 1000, places=7),
)  # fmt: skip
def test_gross_less_fees_and_funding_is_net_and_every_cut_adds_up_to_the_last_decimal(rows, rate) -> None:
    marks = [position("BTC", 1, "97.31", "X"), position("ETH", 1, "3.007", "X")]
    accounts = tuple(
        SeenAccount(pk, f"acc{pk}", f"v{pk}", "main", "live", currency, snapshot(5, currency, *marks))
        for pk, currency in ((1, "USDC"), (2, "USDT"))
    )
    stakes = tuple(
        Stake(pk, strategy, asset, asset, "USDC" if pk == 1 else "USDT", D(q), cost, made, fees, funding, slippage)
        for pk, strategy, asset, q, cost, made, fees, funding, slippage in rows
    )
    rates = Conversion.of([Rate("USDC", "USDT", rate, NOW, fresh=True), Rate("X", "USDT", D(1), NOW, fresh=True)])
    found = value(replace(SEEN, accounts=accounts, stakes=stakes, capitals=(), conversion=rates))
    total = found["live", "total", "live"]
    assert total.net_profit == total.realised + total.unrealised - total.fees + total.funding
    for level in ("account", "strategy", "asset", "venue", "portfolio"):
        parts = [figures for (_, at, _), figures in found.items() if at == level]
        for name in ("realised", "unrealised", "fees", "funding", "slippage", "gross_profit", "net_profit"):
            assert sum((getattr(part, name) for part in parts), D(0)) == getattr(total, name), (level, name)


@pytest.mark.parametrize("name", AMOUNTS)
def test_figures_of_nothing_are_unknown(name) -> None:
    assert getattr(Figures("USDC"), name) is None
    assert Figures("USDC").net_profit is None
