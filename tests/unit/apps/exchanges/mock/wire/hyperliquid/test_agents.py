"""Agent wallets live, are replaced and end by the venue's rules."""

from __future__ import annotations

import pytest

from apps.exchanges.mock.wire.hyperliquid.agents import AgentBook, AgentRefusedError

NOW = 1_800_000_000_000
DAY = 86_400_000
MASTER = "0x" + "aa" * 20


def address(number: int) -> str:
    return f"0x{number:040x}"


def test_an_agent_signs_for_its_master_for_ninety_days() -> None:
    book = AgentBook()
    book.approve(MASTER, address(1).upper().replace("0X", "0x"), "bot", NOW)
    assert book.master_of(address(1), NOW + 90 * DAY - 1) == MASTER
    assert book.master_of(address(1), NOW + 90 * DAY) is None
    assert book.master_of(address(2), NOW) is None


def test_valid_until_in_the_name_sets_the_expiry() -> None:
    book = AgentBook()
    book.approve(MASTER, address(1), f"bot valid_until {NOW + 1_000}", NOW)
    assert [(agent.name, agent.valid_until) for agent in book.named(MASTER)] == [("bot", NOW + 1_000)]
    assert book.master_of(address(1), NOW + 1_000) is None


@pytest.mark.parametrize("stamp", [NOW, NOW - 1, NOW + 180 * DAY + 1, "soon"])
def test_refuses_an_expiry_in_the_past_or_beyond_180_days(stamp: object) -> None:
    book = AgentBook()
    with pytest.raises(AgentRefusedError, match=r"Agent valid_until already expired\."):
        book.approve(MASTER, address(1), f"bot valid_until {stamp}", NOW)
    assert book.master_of(address(1), NOW) is None


def test_the_unnamed_agent_works_but_is_not_listed_and_a_second_replaces_it() -> None:
    book = AgentBook()
    assert book.approve(MASTER, address(1), "", NOW) is None
    assert book.named(MASTER) == []
    assert book.approve(MASTER, address(2), "", NOW) == address(1)
    assert book.master_of(address(1), NOW) is None
    assert book.master_of(address(2), NOW) == MASTER


def test_the_same_name_replaces_the_old_address() -> None:
    book = AgentBook()
    book.approve(MASTER, address(1), "bot", NOW)
    assert book.approve(MASTER, address(2), "bot", NOW) == address(1)
    assert [agent.address for agent in book.named(MASTER)] == [address(2)]


def test_refuses_a_fourth_named_agent_but_takes_an_unnamed_one() -> None:
    book = AgentBook()
    for number in range(1, 4):
        book.approve(MASTER, address(number), f"bot{number}", NOW)
    with pytest.raises(AgentRefusedError, match="Too many extra agents"):
        book.approve(MASTER, address(4), "bot4", NOW)
    book.approve(MASTER, address(5), "", NOW)
    book.approve(MASTER, address(6), "bot2", NOW)


def test_never_takes_an_address_twice() -> None:
    book = AgentBook()
    book.approve(MASTER, address(1), "bot", NOW)
    with pytest.raises(AgentRefusedError, match="already used"):
        book.approve(MASTER, address(1), "bot", NOW)
    with pytest.raises(AgentRefusedError, match="already used"):
        book.approve("0x" + "bb" * 20, address(1), "bot", NOW)


def test_the_zero_address_removes_and_blocks_approvals_for_five_seconds() -> None:
    book = AgentBook()
    book.approve(MASTER, address(1), "bot", NOW)
    assert book.approve(MASTER, address(0), "bot", NOW) == address(1)
    assert book.master_of(address(1), NOW) is None
    with pytest.raises(AgentRefusedError, match="pending agent removal"):
        book.approve(MASTER, address(2), "bot", NOW + 4_999)
    book.approve(MASTER, address(2), "bot", NOW + 5_000)


def test_refuses_a_name_longer_than_sixteen_characters() -> None:
    with pytest.raises(AgentRefusedError, match="too long"):
        AgentBook().approve(MASTER, address(1), "x" * 17, NOW)
