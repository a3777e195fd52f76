from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.risk.limits import LimitBook
from apps.risk.models import LimitKind
from apps.risk.scope import StrategyScope

KEY = "hyperliquid:BTC"
SCOPE = StrategyScope("turtle", 1, "paper-1", "paper", "hyperliquid", "USDC", Decimal(1), Decimal(1))
AROUND = SCOPE.containing(KEY)
KIND = LimitKind.MAX_ORDER_NOTIONAL


def test_an_order_lies_in_six_scopes() -> None:
    assert AROUND == (
        ("everything", "*"),
        ("portfolio", "paper"),
        ("venue", "hyperliquid"),
        ("account", "paper-1"),
        ("strategy", "turtle"),
        ("instrument", KEY),
    )


@given(st.dictionaries(st.sampled_from(AROUND), st.integers(min_value=1, max_value=9), min_size=1))
def test_the_tightest_of_all_scopes_around_the_order_binds(values) -> None:
    book = LimitBook({(KIND.value, *scope): Decimal(value) for scope, value in values.items()})
    assert book.tightest(KIND, AROUND) == min(values.values())


def test_limits_of_other_scopes_and_kinds_do_not_bind() -> None:
    book = LimitBook(
        {
            (KIND.value, "strategy", "other"): Decimal(1),
            (LimitKind.ASSET_SHARE.value, "everything", "*"): Decimal(1),
        }
    )
    assert book.tightest(KIND, AROUND) is None
