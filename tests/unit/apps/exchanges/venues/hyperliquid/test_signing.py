"""Signatures equal the venue's own SDK, bit for bit, and bad keys never leak."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hyperliquid.utils.signing import float_to_wire, sign_agent, sign_l1_action
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.venues.hyperliquid import signing
from apps.exchanges.venues.hyperliquid.agents import APPROVE_AGENT
from moondev.domain.errors import Configuration, InvalidValue

VECTORS = Path(__file__).parents[7] / "shared/fixtures/hyperliquid/signing/signing_vectors.json"
KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
USER_TRANSFER = (("hyperliquidChain", "string"), ("destination", "string"), ("amount", "string"), ("time", "uint64"))
USER_TYPES = {
    "usd_transfer": "HyperliquidTransaction:UsdSend",
    "withdraw_from_bridge": "HyperliquidTransaction:Withdraw",
}


def vectors() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text())["vectors"]
    return found


@pytest.mark.skipif(not VECTORS.exists(), reason="the published signing vectors are not beside the project")
@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["test"])
def test_equals_the_published_vector(vector: dict[str, Any]) -> None:
    signer = signing.Signer(KEY)
    if vector["kind"] in USER_TYPES:
        signed = signer.sign_user_action(USER_TYPES[vector["kind"]], USER_TRANSFER, vector["message_signed"])
        assert signed.wire() == vector["signature"]
        return
    digest = signing.action_hash(vector["action"], vector["nonce"], vector["expiresAfter"], vector["vaultAddress"])
    assert "0x" + digest.hex() == vector["action_hash"]
    if vector["kind"] == "l1_action":
        assert signer._sign(signing.l1_digest(digest, is_mainnet=vector["is_mainnet"])).wire() == vector["signature"]


decimals = st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(10_000_000), places=8)
order_wires = st.fixed_dictionaries(
    {
        "a": st.integers(0, 200_000),
        "b": st.booleans(),
        "p": decimals.map(lambda number: signing.decimal_to_wire("p", number)),
        "s": decimals.map(lambda number: signing.decimal_to_wire("s", number)),
        "r": st.booleans(),
        "t": st.sampled_from(
            [{"limit": {"tif": "Gtc"}}, {"trigger": {"isMarket": True, "triggerPx": "103.5", "tpsl": "sl"}}]
        ),
        "c": st.integers(0, 2**128 - 1).map(lambda number: f"{number:#034x}"),
    }
)
order_actions = st.lists(order_wires, min_size=1, max_size=5).map(
    lambda wires: {"type": "order", "orders": wires, "grouping": "na"}
)


@given(
    action=order_actions,
    nonce=st.integers(0, 2**63),
    expires=st.none() | st.integers(0, 2**63),
    mainnet=st.booleans(),
    key=st.integers(1, 2**255),
)
def test_signs_random_orders_as_the_sdk_does(
    action: dict[str, Any], nonce: int, expires: int | None, mainnet: bool, key: int
) -> None:
    private = f"{key:#066x}"
    ours = signing.Signer(private).sign_action(action, nonce, expires, is_mainnet=mainnet).wire()
    theirs = sign_l1_action(Account.from_key(private), action, None, nonce, expires, mainnet)
    assert ours == theirs


@given(name=st.text(max_size=20), nonce=st.integers(0, 2**63), agent=st.integers(1, 2**160 - 1))
def test_signs_agent_approvals_as_the_sdk_does(name: str, nonce: int, agent: int) -> None:
    action: dict[str, Any] = {
        "type": "approveAgent",
        "agentAddress": f"{agent:#042x}",
        "agentName": name,
        "nonce": nonce,
    }
    theirs = sign_agent(Account.from_key(KEY), action, False)
    ours = signing.Signer(KEY).sign_user_action("HyperliquidTransaction:ApproveAgent", APPROVE_AGENT, action).wire()
    assert ours == theirs


def test_knows_its_own_address() -> None:
    assert signing.Signer(KEY).address == Account.from_key(KEY).address.lower()


# Beyond this size the SDK's own numbers are wrong: 164138022.2 becomes 164138022.19999999 as a float.
@given(st.decimals(min_value=0, max_value=100_000, places=8))
def test_writes_numbers_as_the_sdk_does(number: Decimal) -> None:
    assert signing.decimal_to_wire("price", number) == float_to_wire(float(number))


def test_writes_large_numbers_exactly() -> None:
    assert signing.decimal_to_wire("price", Decimal("164138022.2")) == "164138022.2"


@pytest.mark.parametrize(
    ("number", "text"),
    [("100.00", "100"), ("1E+3", "1000"), ("0.10", "0.1"), ("0", "0"), ("-0.0", "0"), ("0.123456780000", "0.12345678")],
)
def test_drops_zeros_that_say_nothing(number: str, text: str) -> None:
    assert signing.decimal_to_wire("price", Decimal(number)) == text


@pytest.mark.parametrize("number", ["0.123456789", "NaN", "Infinity"])
def test_refuses_to_round_a_number(number: str) -> None:
    with pytest.raises(InvalidValue, match="price"):
        signing.decimal_to_wire("price", Decimal(number))


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32, "11" * 33])
def test_refuses_a_bad_key_without_showing_it(key: str) -> None:
    with pytest.raises(Configuration) as caught:
        signing.Signer(key)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not key or key not in str(caught.value)


def test_shows_its_address_but_never_its_key() -> None:
    text = repr(signing.Signer(KEY))
    assert KEY[2:] not in text
    assert signing.Signer(KEY).address in text


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_refuses_a_nonce_that_does_not_fit(nonce: int) -> None:
    with pytest.raises(InvalidValue, match="nonce"):
        signing.action_hash({"type": "scheduleCancel"}, nonce)


def test_refuses_to_start_on_the_slow_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.NativeECCBackend")
    with pytest.raises(Configuration, match="pip install coincurve"):
        signing.require_fast_curve()


def test_accepts_the_fast_curve() -> None:
    signing.require_fast_curve()
