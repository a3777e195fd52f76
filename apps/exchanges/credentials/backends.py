"""Where a signer's key comes from. Asking is logged, the answer never is."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Protocol

from django.core.exceptions import ImproperlyConfigured

from apps.exchanges.credentials.paper import is_paper_key
from apps.exchanges.models import Account, Signer
from apps.exchanges.models.venues import Environment
from moondev.domain.errors import Configuration
from moondev.settings.env import env_secret

logger = logging.getLogger(__name__)


class CredentialBackend(Protocol):
    """Keeps secrets by name."""

    def secret(self, name: str) -> str:
        """Return the secret called `name`. Raises Configuration, naming it, when there is none."""
        ...


class EnvironmentBackend:
    """Secrets in environment variables, or in the files that ``NAME_FILE`` points to."""

    def secret(self, name: str) -> str:
        """Return the secret called `name`. Raises Configuration, naming it, when there is none."""
        try:
            return env_secret(name)
        except ImproperlyConfigured as error:
            raise Configuration(f"secret {name}: {error}; set {name} or {name}_FILE") from error


def signer_key(signer: Signer, backend: CredentialBackend) -> str:
    """Return the private key of a signer whose account and venue are loaded.

    Raises Configuration when it is missing, or when a paper key would sign for a venue that is not paper.
    """
    account = signer.account
    _audit(signer.secret_name, account.code, signer.purpose)
    key = backend.secret(signer.secret_name)
    if account.venue.environment != Environment.PAPER and _anybody_has(key):
        raise Configuration(
            f"secret {signer.secret_name} is a paper key that anybody can derive;"
            f" venue {account.venue_id} is {account.venue.environment} and needs a key of its own"
        )
    return key


@lru_cache(maxsize=1024)
def _audit(secret_name: str, account: str, purpose: str) -> None:
    """Log which process takes a key, once: a line per request would bury what the log is read for."""
    logger.info("key %s read for %s/%s", secret_name, account, purpose)


def _anybody_has(key: str) -> bool:
    accounts = list(Account.objects.values_list("code", flat=True))
    return is_paper_key(key, accounts, ["owner", *Signer.Purpose.values])
