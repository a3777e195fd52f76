"""Nonces: unused, above the smallest of the hundred kept, and inside the venue's window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.wire.hyperliquid.nonces import KEPT, InvalidNonceError, NonceBook

NOW = 1_800_000_000_000
DAY = 86_400_000


def test_refuses_a_nonce_used_before_with_the_venues_words() -> None:
    book = NonceBook()
    book.use("0xa", NOW, NOW)
    with pytest.raises(InvalidNonceError, match=f"Invalid nonce: duplicate nonce {NOW}"):
        book.use("0xa", NOW, NOW)


def test_keeps_signers_apart() -> None:
    book = NonceBook()
    book.use("0xa", NOW, NOW)
    book.use("0xb", NOW, NOW)


@pytest.mark.parametrize("nonce", [NOW - 2 * DAY, NOW + DAY, 0, -5])
def test_refuses_a_nonce_outside_the_window(nonce: int) -> None:
    with pytest.raises(InvalidNonceError):
        NonceBook().use("0xa", nonce, NOW)


def test_accepts_out_of_order_nonces_above_the_smallest_kept() -> None:
    book = NonceBook()
    for step in range(0, 2 * KEPT, 2):
        book.use("0xa", NOW + step, NOW)
    book.use("0xa", NOW + 3, NOW)
    with pytest.raises(InvalidNonceError, match="too low"):
        book.use("0xa", NOW + 1, NOW)


@given(st.lists(st.integers(NOW - 500, NOW + 500), max_size=400))
def test_no_sequence_ever_spends_a_nonce_twice(nonces: list[int]) -> None:
    book, spent = NonceBook(), set()
    for nonce in nonces:
        try:
            book.use("0xa", nonce, NOW)
        except InvalidNonceError:
            continue
        assert nonce not in spent
        assert len([other for other in spent if other > nonce]) < KEPT
        spent.add(nonce)
