"""The demo's paper accounts and their wallets.

The keys are made from public words: they protect nothing, and nothing of value must ever be sent to them. They exist
so that the mock exchange can verify real signatures.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from eth_account import Account as Wallet

from apps.exchanges.models import Signer

PURPOSES: tuple[Signer.Purpose, ...] = (Signer.Purpose.ORDERS, Signer.Purpose.VETOES, Signer.Purpose.DIRECT)


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A paper account: its code here, and what it starts with at the mock, in USDC."""

    code: str
    deposit: Decimal

    @property
    def address(self) -> str:
        """Return the address whose money is traded."""
        return _address(self.master_key)

    @property
    def master_key(self) -> str:
        """Return the key of the owner, which only appoints the agent wallets."""
        return _paper_key(self.code, "owner")

    def agent_key(self, purpose: Signer.Purpose) -> str:
        """Return the key of the wallet that signs for ``purpose``."""
        return _paper_key(self.code, purpose.value)

    def agent_address(self, purpose: Signer.Purpose) -> str:
        """Return the address of the wallet that signs for ``purpose``."""
        return _address(self.agent_key(purpose))

    def secret_name(self, purpose: Signer.Purpose) -> str:
        """Return the environment variable in which processes find the agent's key."""
        return f"{self.code}_{purpose.value}_key".upper().replace("-", "_")


# Quoting strategies get an account of their own: their dead-man switch would cancel the others' stops.
ACCOUNTS: tuple[PaperAccount, ...] = (
    PaperAccount("paper-trend", Decimal(100_000)),
    PaperAccount("paper-maker", Decimal(100_000)),
)


def paper_secrets(accounts: Sequence[PaperAccount]) -> dict[str, str]:
    """Return the environment variables that hold the agents' keys."""
    return {account.secret_name(purpose): account.agent_key(purpose) for account in accounts for purpose in PURPOSES}


def _paper_key(account: str, purpose: str) -> str:
    return "0x" + hashlib.sha256(f"paper only, worth nothing: {account} {purpose}".encode()).hexdigest()


def _address(key: str) -> str:
    return str(Wallet.from_key(key).address).lower()
