"""The verifier agrees with the recorded vectors and with the venue's own SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import eth_account
import pytest
from hyperliquid.utils import signing as sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.mock.wire.hyperliquid.signing import (
    BadSignatureError,
    Signature,
    action_hash,
    recover_l1,
    recover_user_signed,
)

VECTORS = Path(__file__).resolve().parents[7] / "../shared/fixtures/hyperliquid/signing/signing_vectors.json"
WALLET = eth_account.Account.from_key("0x" + "01" * 32)
USER_SIGNED_KINDS = {"usd_transfer": "usdSend", "withdraw_from_bridge": "withdraw3"}


def recorded() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        return []
    return list(json.loads(VECTORS.read_text())["vectors"])


needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason=f"no recorded signing vectors at {VECTORS}")


@needs_vectors
def test_every_recorded_action_hash_is_reproduced() -> None:
    hashed = [vector for vector in recorded() if "action_hash" in vector]
    assert len(hashed) > 10
    for vector in hashed:
        found = action_hash(vector["action"], vector["nonce"], vector["vaultAddress"], vector["expiresAfter"])
        assert "0x" + found.hex() == vector["action_hash"]


@needs_vectors
def test_recorded_l1_signatures_recover_the_signer_on_testnet_and_a_stranger_on_mainnet() -> None:
    seen = {True: 0, False: 0}
    for vector in recorded():
        if vector["kind"] != "l1_action":
            continue
        connection_id = bytes.fromhex(vector["action_hash"][2:])
        found = recover_l1(connection_id, Signature.from_json(vector["signature"]))
        assert (found == vector["address"].lower()) is not vector["is_mainnet"]
        seen[vector["is_mainnet"]] += 1
    assert min(seen.values()) > 5


@needs_vectors
def test_recorded_user_signed_actions_recover_the_signer() -> None:
    found = 0
    for vector in recorded():
        kind = USER_SIGNED_KINDS.get(vector["kind"])
        if kind is None:
            continue
        action = {**vector["message_signed"], "type": kind}
        assert recover_user_signed(action, Signature.from_json(vector["signature"])) == vector["address"].lower()
        found += 1
    assert found == len(USER_SIGNED_KINDS)


amounts = st.integers(1, 10**7).map(lambda n: sdk.float_to_wire(n / 100))
order_wires = st.fixed_dictionaries(
    {
        "a": st.integers(0, 300),
        "b": st.booleans(),
        "p": amounts,
        "s": amounts,
        "r": st.booleans(),
        "t": st.one_of(
            st.sampled_from(["Alo", "Ioc", "Gtc"]).map(lambda tif: {"limit": {"tif": tif}}),
            amounts.map(lambda px: {"trigger": {"isMarket": True, "triggerPx": px, "tpsl": "sl"}}),
        ),
    },
    optional={"c": st.integers(0, 2**128 - 1).map(lambda n: f"{n:#034x}")},
)
actions = st.one_of(
    st.lists(order_wires, min_size=1, max_size=5).map(
        lambda orders: sdk.order_wires_to_order_action(orders, None, "na")
    ),
    st.lists(st.fixed_dictionaries({"a": st.integers(0, 300), "o": st.integers(0, 2**63)}), min_size=1).map(
        lambda cancels: {"type": "cancel", "cancels": cancels}
    ),
    st.integers(0, 2**48).map(lambda time: {"type": "scheduleCancel", "time": time}),
)


@settings(max_examples=60, deadline=None)
@given(
    action=actions,
    nonce=st.integers(0, 2**53),
    vault=st.none() | st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    expires=st.none() | st.integers(0, 2**53),
)
def test_any_l1_action_the_sdk_signs_recovers_its_wallet(
    action: dict[str, Any], nonce: int, vault: str | None, expires: int | None
) -> None:
    signature = sdk.sign_l1_action(WALLET, action, vault, nonce, expires, False)
    over_the_wire = json.loads(json.dumps(action))
    hashed = action_hash(over_the_wire, nonce, vault, expires)
    assert recover_l1(hashed, Signature.from_json(signature)) == WALLET.address.lower()


def test_a_changed_price_recovers_a_stranger() -> None:
    action = {"type": "order", "orders": [{"a": 0, "p": "100"}], "grouping": "na"}
    signature = Signature.from_json(sdk.sign_l1_action(WALLET, action, None, 1, None, False))
    action["orders"] = [{"a": 0, "p": "101"}]
    assert recover_l1(action_hash(action, 1), signature) != WALLET.address.lower()


@settings(max_examples=20, deadline=None)
@given(name=st.text(max_size=16), nonce=st.integers(0, 2**53))
def test_agent_approvals_of_the_sdk_recover_the_master(name: str, nonce: int) -> None:
    action = {"type": "approveAgent", "agentAddress": "0x" + "ab" * 20, "agentName": name, "nonce": nonce}
    signature = sdk.sign_agent(WALLET, action, False)
    if not name:
        del action["agentName"]
    assert recover_user_signed(action, Signature.from_json(signature)) == WALLET.address.lower()


@pytest.mark.parametrize(
    ("sign", "action"),
    [
        (sdk.sign_usd_transfer_action, {"type": "usdSend", "destination": "0x1", "amount": "2", "time": 7}),
        (
            sdk.sign_spot_transfer_action,
            {"type": "spotSend", "destination": "0x1", "token": "USDC", "amount": "2", "time": 7},
        ),
        (
            sdk.sign_withdraw_from_bridge_action,
            {"type": "withdraw3", "destination": "0x1", "amount": "2", "time": 7},
        ),
        (
            sdk.sign_usd_class_transfer_action,
            {"type": "usdClassTransfer", "amount": "5.0", "toPerp": True, "nonce": 7},
        ),
        (
            sdk.sign_send_asset_action,
            {
                "type": "sendAsset",
                "destination": "0x1",
                "sourceDex": "",
                "destinationDex": "spot",
                "token": "USDC",
                "amount": "2",
                "fromSubAccount": "",
                "nonce": 7,
            },
        ),
        (
            sdk.sign_approve_builder_fee,
            {"type": "approveBuilderFee", "maxFeeRate": "0.01%", "builder": "0x" + "cd" * 20, "nonce": 7},
        ),
        (
            sdk.sign_token_delegate_action,
            {
                "type": "tokenDelegate",
                "validator": "0x" + "cd" * 20,
                "wei": 10,
                "isUndelegate": False,
                "nonce": 7,
            },
        ),
        (
            sdk.sign_user_dex_abstraction_action,
            {"type": "userDexAbstraction", "user": "0x" + "cd" * 20, "enabled": True, "nonce": 7},
        ),
        (
            sdk.sign_user_set_abstraction_action,
            {"type": "userSetAbstraction", "user": "0x" + "cd" * 20, "abstraction": "disabled", "nonce": 7},
        ),
        (
            sdk.sign_convert_to_multi_sig_user_action,
            {"type": "convertToMultiSigUser", "signers": "{}", "nonce": 7},
        ),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else "",
)
def test_user_signed_actions_of_the_sdk_recover_their_wallet(sign: Any, action: dict[str, Any]) -> None:
    signature = sign(WALLET, action, False)
    assert recover_user_signed(action, Signature.from_json(signature)) == WALLET.address.lower()


@pytest.mark.parametrize(
    "raw",
    [None, {}, {"r": "0x1", "s": "zz", "v": 27}, {"r": "0x1", "s": "0x1"}, "0x12"],
)
def test_a_malformed_signature_is_refused(raw: object) -> None:
    with pytest.raises(BadSignatureError):
        Signature.from_json(raw)


@pytest.mark.parametrize(
    "signature",
    [Signature(0, 0, 27), Signature(1, 1, 99), Signature(2**256, 1, 27), Signature(2**256 - 1, 1, 28)],
)
def test_a_signature_no_key_can_make_is_refused(signature: Signature) -> None:
    with pytest.raises(BadSignatureError):
        recover_l1(bytes(32), signature)


def test_an_unknown_user_signed_type_is_refused() -> None:
    with pytest.raises(BadSignatureError, match="not a user-signed action"):
        recover_user_signed({"type": "order", "signatureChainId": "0x1"}, Signature(1, 1, 27))


def test_a_user_signed_action_with_a_missing_field_is_refused() -> None:
    with pytest.raises(BadSignatureError, match="usdSend"):
        recover_user_signed({"type": "usdSend", "signatureChainId": "0x1"}, Signature(1, 1, 27))
