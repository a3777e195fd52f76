"""Sessions with venues: one per account, purpose and process, made when first needed and kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from apps.exchanges.accounts.facts import AccountFacts, account_facts
from apps.exchanges.capabilities import Capabilities
from apps.exchanges.credentials.backends import CredentialBackend, EnvironmentBackend, signer_key
from apps.exchanges.models import Signer
from apps.exchanges.orders.short_ids import short_ids_of
from apps.exchanges.ports import Credentials, ExecutionClient
from apps.exchanges.registry import capabilities, client_for
from apps.exchanges.throttling import Lane
from moondev.domain.errors import Configuration, InvalidValue

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """A client that signs for an account as one signer, whose nonces count in `signer_id`'s row."""

    account: AccountFacts
    client: ExecutionClient
    signer_id: int
    capabilities: Capabilities


class Sessions(Protocol):
    """Opens sessions; tests open them to venues of their own."""

    def session(self, account_id: int, purpose: str) -> Session:
        """Return the session of an account for a `Signer.Purpose`. Raises Configuration when there is no key."""
        ...


class VenueSessions:
    """Sessions with the venues that the rows name, signed with the keys of a credential backend."""

    def __init__(self, backend: CredentialBackend | None = None) -> None:
        """Take keys from `backend`; None means the environment."""
        self._backend = backend or EnvironmentBackend()

    def session(self, account_id: int, purpose: str) -> Session:
        """Return the session of an account for a `Signer.Purpose`.

        Raises Configuration when there is no key, or, for orders, when it is not that of the signer's address.
        """
        signer = Signer.objects.select_related("account__venue").filter(account_id=account_id, purpose=purpose).first()
        if signer is None:
            raise Configuration(f"account {account_id} has no signer for {purpose}; add one in the admin")
        account = signer.account
        key = signer_key(signer, self._backend)
        try:
            venue = account.venue.to_config()
            numbers = short_ids_of(account.pk, venue.protocol)
            client = client_for(venue, Credentials(account.address, key), numbers, _lane(signer))
        except (Configuration, InvalidValue) as error:
            raise Configuration(f"account {account.code}, secret {signer.secret_name}: {error}") from error
        _check_own_key(signer, client)
        return Session(account_facts(account.pk), client, signer.pk, capabilities(account.venue.protocol))


def _lane(signer: Signer) -> Lane:
    """Return the least lane of a signer's requests: those that stop everything wait for nobody's routine."""
    return Lane.ORDINARY if signer.purpose == Signer.Purpose.ORDERS else Lane.FOREMOST


def _check_own_key(signer: Signer, client: ExecutionClient) -> None:
    """Refuse to trade with the key of another wallet: a venue trades on the account it belongs to, whoever's that is.

    To stop and to look, no signer is turned away: should only its row be wrong, a halt must not fail for that.
    """
    if client.signer_address.lower() == signer.address.lower():
        return
    problem = (
        f"account {signer.account.code}: secret {signer.secret_name} is the key of {client.signer_address},"
        f" but its signer for {signer.purpose} is {signer.address}"
    )
    if signer.purpose == Signer.Purpose.ORDERS:
        raise Configuration(problem)
    logger.error("%s", problem)
