"""What a process that only listens to an account has to show the venue."""

from __future__ import annotations

from apps.exchanges.credentials.backends import CredentialBackend, EnvironmentBackend, signer_key
from apps.exchanges.models import Account, Signer
from apps.exchanges.ports import Credentials
from apps.exchanges.registry import capabilities
from moondev.domain.errors import Configuration


def listener_credentials(account_id: int, backend: CredentialBackend | None = None) -> Credentials:
    """Return the credentials that open an account's user stream; without a key where the venue asks for none.

    Raises Configuration when the venue wants a key and the account has no signer for orders, or no secret.
    """
    account = Account.objects.select_related("venue").get(pk=account_id)
    if not capabilities(account.venue.protocol).user_stream_needs_key:
        return Credentials(account.address, "")
    purpose = Signer.Purpose.ORDERS
    signer = Signer.objects.select_related("account__venue").filter(account_id=account_id, purpose=purpose).first()
    if signer is None:
        raise Configuration(f"account {account.code} has no signer for {purpose}; add one in the admin")
    return Credentials(account.address, signer_key(signer, backend or EnvironmentBackend()))
