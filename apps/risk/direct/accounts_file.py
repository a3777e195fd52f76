"""What a process must know to stop an account when SQL cannot be asked: kept in a local file.

The guard writes it whenever the accounts change. It holds addresses and names of secrets, no secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.models import Account, Signer
from apps.exchanges.ports import VenueConfig
from moondev.domain.errors import Configuration


@dataclass(frozen=True, slots=True)
class DirectAccount:
    """An account with the name of the secret that holds the DIRECT signer's key."""

    code: str
    address: str
    currency: str
    secret_name: str
    venue: VenueConfig


def accounts_file() -> Path:
    """Return where the file is: beside the halt file of this machine."""
    return Path(settings.MOONDEV_HALT_FILE).with_name("accounts.json")


def read_rows() -> list[DirectAccount]:
    """Return every account with a DIRECT signer that is enabled or not empty, from the database."""
    signers = Signer.objects.filter(purpose=Signer.Purpose.DIRECT, account__in=watched_accounts())
    return [
        _of(signer.account, signer) for signer in signers.select_related("account__venue").order_by("account__code")
    ]


def write_file(accounts: Iterable[DirectAccount]) -> None:
    """Write the file so that a reader sees the old or the new one, never a part."""
    path = accounts_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(json.dumps([asdict(account) for account in accounts], indent=1), encoding="utf-8")
    fresh.replace(path)


def read_file() -> list[DirectAccount]:
    """Return the accounts of the file. Raises Configuration when it is missing or cannot be read."""
    path = accounts_file()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [DirectAccount(**{**row, "venue": VenueConfig(**row["venue"])}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Configuration(f"{path} does not say which accounts there are: {error!r}") from error


def _of(account: Account, signer: Signer) -> DirectAccount:
    return DirectAccount(
        code=account.code,
        address=account.address,
        currency=account.currency,
        secret_name=signer.secret_name,
        venue=account.venue.to_config(),
    )
