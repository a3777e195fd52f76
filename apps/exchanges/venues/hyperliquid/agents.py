"""Agent wallets: keys that may trade for an account but never move its money out.

The account's own key is needed once, to approve them; it belongs into no worker. Every signer of
ours (orders, vetoes, the direct kill switch) is an agent of its own, so their nonces never meet.
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/nonces-and-api-wallets
"""

from __future__ import annotations

from apps.exchanges.ports import VenueConfig
from apps.exchanges.venues.hyperliquid import answers
from apps.exchanges.venues.hyperliquid.client import account_address
from apps.exchanges.venues.hyperliquid.config import endpoints
from apps.exchanges.venues.hyperliquid.rest import Rest
from apps.exchanges.venues.hyperliquid.signing import USER_SIGNED_CHAIN_ID, Signer

APPROVE_AGENT = (
    ("hyperliquidChain", "string"),
    ("agentAddress", "address"),
    ("agentName", "string"),
    ("nonce", "uint64"),
)


def address_of(private_key: str) -> str:
    """Return the address of a key, in lower case. Raises Configuration when it is not a key."""
    return Signer(private_key).address


def approve_agent(venue: VenueConfig, account_key: str, agent_address: str, agent_name: str, nonce: int) -> None:
    """Let `agent_address` trade for the account of `account_key`; a name is taken over by the newest.

    Raises VenueRejected when the venue does not know the account or refuses the agent.
    """
    where = endpoints(venue)
    action = {
        "type": "approveAgent",
        "agentAddress": account_address(agent_address),
        "agentName": agent_name,
        "nonce": nonce,
        "signatureChainId": hex(USER_SIGNED_CHAIN_ID),
        "hyperliquidChain": "Mainnet" if where.is_mainnet else "Testnet",
    }
    signature = Signer(account_key).sign_user_action("HyperliquidTransaction:ApproveAgent", APPROVE_AGENT, action)
    rest = Rest(where.rest_url)
    try:
        answers.require_accepted(rest.exchange(action, nonce, signature, None))
    finally:
        rest.close()
