"""The venues' page says what the code goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.exchanges.capabilities import Support
from apps.exchanges.capability_table import capability_table, columns, with_tables
from apps.exchanges.registry import PROTOCOLS
from moondev.domain.orders import OrderType, TimeInForce

PAGE = Path(__file__).parents[4] / "apps" / "exchanges" / "venues" / "README.md"


def test_the_page_holds_the_table_as_the_adapters_say_it_now() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "run `python manage.py venue_tables --write`"


def test_every_adapter_has_a_column_and_every_ability_a_line() -> None:
    lines = capability_table().splitlines()
    heads = [cell.strip() for cell in lines[0].strip("|").split("|")]
    assert heads[1:] == [*PROTOCOLS, "`ccxt:<id>`"]
    assert {line.count("|") for line in lines} == {len(heads) + 1}
    for kind in (*OrderType, *TimeInForce):
        assert any(line.startswith(f"| {kind.value.replace('_', ' ')} |") for line in lines)


@pytest.mark.parametrize("name", list(columns()))
def test_every_kind_of_order_is_somebody_s(name: str) -> None:
    able = columns()[name].capabilities
    for kind in OrderType:
        assert able.of(kind) is not Support.REFUSED, f"{name} leaves {kind.value} to nobody"
    # Nothing is emulated that only the venue can promise.
    assert Support.EMULATED not in able.times_in_force.values()
