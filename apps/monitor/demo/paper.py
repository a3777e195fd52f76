"""The demo's paper accounts and their keys.

The keys are made from public words: they protect nothing, and nothing of value must ever be sent to them. They exist
so that the mock exchange can verify real signatures.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from eth_account import Account as Wallet

from apps.exchanges.models import Signer
from apps.exchanges.venues.dydx.keys import address_of
from apps.monitor.demo.venues import HOME, VENUES, DemoVenue, Keys

PURPOSES: tuple[Signer.Purpose, ...] = (Signer.Purpose.ORDERS, Signer.Purpose.VETOES, Signer.Purpose.DIRECT)


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A paper account: its code here, what it starts with at the mock in the venue's currency, and the venue."""

    code: str
    deposit: Decimal
    venue_code: str = HOME

    @property
    def venue(self) -> DemoVenue:
        """Return the venue where the account is."""
        return VENUES[self.venue_code]

    @property
    def address(self) -> str:
        """Return the venue's name of the account whose money is traded."""
        match self.venue.keys:
            case Keys.WALLETS:
                return _address(self.master_key)
            case Keys.CHAIN_KEY:
                return address_of(self.master_key)
            case Keys.API_KEYS:
                return self.code

    @property
    def master_key(self) -> str:
        """Return the key of the owner: it appoints the agent wallets, or signs itself where there are none."""
        return _paper_key(self.code, "owner")

    def secret(self, purpose: Signer.Purpose) -> str:
        """Return the secret with which ``purpose`` signs, as a credential backend keeps it."""
        match self.venue.keys:
            case Keys.WALLETS:
                return _paper_key(self.code, purpose.value)
            case Keys.CHAIN_KEY:
                return self.master_key
            case Keys.API_KEYS:
                return f"{self.code}-{purpose.value}:{_paper_key(self.code, purpose.value)}"

    def signer_address(self, purpose: Signer.Purpose) -> str:
        """Return the public name of the key that signs for ``purpose``."""
        match self.venue.keys:
            case Keys.WALLETS:
                return _address(self.secret(purpose))
            case Keys.CHAIN_KEY:
                return self.address
            case Keys.API_KEYS:
                return self.secret(purpose).partition(":")[0]

    def secret_name(self, purpose: Signer.Purpose) -> str:
        """Return the environment variable in which processes find the secret."""
        return f"{self.code}_{purpose.value}_key".upper().replace("-", "_")


# Quoting strategies get an account of their own: their dead-man switch would cancel the others' stops. So do those
# that go in and out: on one account the venue nets their positions with the trend followers', and their stops with it.
ACCOUNTS: tuple[PaperAccount, ...] = (
    PaperAccount("paper-trend", Decimal(100_000)),
    PaperAccount("paper-maker", Decimal(100_000)),
    PaperAccount("paper-swing", Decimal(100_000)),
    # One that trades several coins at once needs them all to itself.
    PaperAccount("paper-group", Decimal(100_000)),
)


def accounts_at(venues: Sequence[DemoVenue]) -> tuple[PaperAccount, ...]:
    """Return the paper accounts of a run over `venues`: at each one for followers of trends and one for makers.

    At home there are two more: for strategies that go in and out, and for one that trades several coins at once.
    """
    elsewhere = tuple(
        PaperAccount(f"{kind}-{venue.code}", Decimal(100_000), venue.code)
        for venue in venues
        if venue.code != HOME
        for kind in ("trend", "maker")
    )
    return (*(ACCOUNTS if any(venue.code == HOME for venue in venues) else ()), *elsewhere)


def paper_secrets(accounts: Sequence[PaperAccount]) -> dict[str, str]:
    """Return the environment variables that hold the accounts' secrets."""
    return {account.secret_name(purpose): account.secret(purpose) for account in accounts for purpose in PURPOSES}


def _paper_key(account: str, purpose: str) -> str:
    return "0x" + hashlib.sha256(f"paper only, worth nothing: {account} {purpose}".encode()).hexdigest()


def _address(key: str) -> str:
    return str(Wallet.from_key(key).address).lower()
