"""Versions of the user's strategies in the database, as workers read them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from django.apps import apps
from django.conf import settings
from django.utils.crypto import salted_hmac

from apps.strategies.authoring.catalogue import Shelf
from apps.strategies.authoring.source import Source
from apps.strategies.models import StrategyEvent, StrategySource
from moondev.domain.clock import process_clock
from moondev.domain.errors import Configuration


class DatabaseShelf:
    """The table. On a machine that is not told of a folder of strategies nothing is read and nothing is run."""

    def current(self) -> Mapping[str, str]:
        """Return the present version of every strategy: code hash by kind."""
        if settings.MOONDEV_STRATEGIES_DIR is None:
            return {}
        return dict(StrategySource.objects.filter(current=True).values_list("kind", "code_hash"))

    def source(self, kind: str, code_hash: str) -> Source:
        """Return a version's text. Raises Configuration when it is not there, or was not written by a dispatcher."""
        row = StrategySource.objects.filter(kind=kind, code_hash=code_hash).first()
        if row is None:
            raise Configuration(f"version {code_hash} of strategy {kind} is not in the database")
        source = Source(row.file, row.files)
        if source.code_hash != code_hash or not hmac.compare_digest(row.seal, seal_of(kind, source)):
            raise Configuration(
                f"version {code_hash[:12]} of strategy {kind} was not written by a dispatcher with this SECRET_KEY"
            )
        return source

    def failed(self, kind: str, message: str) -> None:
        """Leave an event."""
        StrategyEvent.objects.create(strategy=kind, at=process_clock().now(), kind="code_failed", message=message)


def seal_of(kind: str, source: Source) -> str:
    """Return what shows that this text of strategy `kind` was written by somebody who knows the secret key."""
    said = f"{kind}\0{source.file}\0{source.code_hash}"
    return salted_hmac("moondev.strategies", said, algorithm="sha256").hexdigest()


class NoShelf:
    """Where Django is not set up there is no database, and so no strategy but the library's."""

    def current(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def source(self, kind: str, code_hash: str) -> Source:
        """Refuse: there is none."""
        raise Configuration(
            f"version {code_hash[:12]} of strategy {kind} is in the database, which this process does not have"
        )

    def failed(self, kind: str, message: str) -> None:
        """Say nothing: nobody would read it."""


def own_shelf() -> Shelf:
    """Return this process's shelf."""
    return DatabaseShelf() if apps.ready else NoShelf()
