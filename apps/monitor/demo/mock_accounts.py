"""Open paper accounts at the mock exchange, and make their keys known as each venue wants it done."""

import time
from collections.abc import Callable
from decimal import Decimal

import requests
from eth_account import Account as Wallet
from hyperliquid.utils.signing import sign_agent

from apps.exchanges.venues.dydx.keys import public_key_of
from apps.monitor.demo.paper import PURPOSES, PaperAccount
from apps.monitor.demo.venues import Keys
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import Configuration, Connectivity

_TIMEOUT_S = 5.0
_POLL_S = 0.1


def wait_for_mock(url: str, *, timeout_s: float, alive: Callable[[], None]) -> None:
    """Wait until the mock exchange answers; ``alive`` is called between tries and may raise.

    Raises:
        Connectivity: it did not answer within ``timeout_s`` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while not _answers(url):
        if time.monotonic() > deadline:
            raise Connectivity(f"the mock exchange at {url} did not answer in {timeout_s:.0f} s")
        alive()
        time.sleep(_POLL_S)


def open_account(url: str, account: PaperAccount, clock: Clock) -> None:
    """Open the account with its deposit and make its keys known, as its venue wants it done.

    Raises:
        Configuration: the mock refused; the message is its own.
    """
    match account.venue.keys:
        case Keys.WALLETS:
            _open(url, account)
            _appoint_agents(url, account, clock)
        case Keys.CHAIN_KEY:
            _open(url, account, public_key=public_key_of(account.master_key))
        case Keys.API_KEYS:
            for index, purpose in enumerate(PURPOSES):
                key, _, secret = account.secret(purpose).partition(":")
                deposit = account.deposit if index == 0 else Decimal(0)
                _open(url, account, deposit=str(deposit), api_key=key, api_secret=secret)


def _open(url: str, account: PaperAccount, **more: str) -> None:
    body = {"venue": account.venue_code, "address": account.address, "deposit": str(account.deposit), **more}
    reply = requests.post(f"{url}/admin/accounts", json=body, timeout=_TIMEOUT_S)
    if not reply.ok:
        raise Configuration(f"the mock exchange refused the account {account.code}: {reply.text[:300]}")


def _appoint_agents(url: str, account: PaperAccount, clock: Clock) -> None:
    owner = Wallet.from_key(account.master_key)
    first_nonce = milliseconds(clock.now())
    for index, purpose in enumerate(PURPOSES):
        action = {
            "type": "approveAgent",
            "agentAddress": account.signer_address(purpose),
            "agentName": purpose.value,
            "nonce": first_nonce + index,
        }
        signature = sign_agent(owner, action, False)
        body_signed = {"action": action, "nonce": action["nonce"], "signature": signature}
        reply = requests.post(f"{url}/hl/exchange", json=body_signed, timeout=_TIMEOUT_S)
        if not reply.ok or reply.json().get("status") != "ok":
            raise Configuration(f"the mock exchange refused the agent {purpose.value}: {reply.text[:300]}")


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/admin/health", timeout=_TIMEOUT_S).ok
    except requests.RequestException:
        return False
