"""Write an export into a file that is there whole or not at all, and say in the audit trail who took what."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from apps.exchanges.models import Account
from apps.monitor.analytics.exports.columns import Export, Wanted, require_one_of
from apps.monitor.analytics.exports.formats import FORMATS
from apps.monitor.analytics.exports.reckoned import LOTS, TRIPS
from apps.monitor.analytics.exports.tables import EQUITY, FILLS, LEDGER, ORDERS, POSITIONS
from apps.monitor.audit.append import audit_append
from moondev.domain.errors import InvalidValue

EXPORTS: Mapping[str, Export] = MappingProxyType(
    {export.kind: export for export in (ORDERS, FILLS, LEDGER, POSITIONS, EQUITY, TRIPS, LOTS)}
)


def export_named(kind: str) -> Export:
    """Return an export by its kind. Raises InvalidValue."""
    return EXPORTS[require_one_of("kind", kind, list(EXPORTS))]


def export_write(export: Export, wanted: Wanted, ending: str, path: Path) -> int:
    """Write an export and return how many rows it has.

    The file appears under its name when it is complete; until then, and if anything fails, nothing is there that was
    not before. Raises InvalidValue for what is not there or what the export does not take, OSError when the disk does
    not take the file.
    """
    write = FORMATS[require_one_of("format", ending, list(FORMATS))]
    _require_sensible(export, wanted)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        count = write(export, wanted, export.rows(wanted), temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def export_note(export: Export, wanted: Wanted, count: int, *, actor: str = "", address: str = "") -> None:
    """Write into the audit trail that somebody has taken an export."""
    told = {"from": wanted.period.start, "to": wanted.period.end, "account": wanted.account or "all", "rows": count}
    audit_append(action="export", subject=export.kind, actor=actor, address=address, after=told)


def _require_sensible(export: Export, wanted: Wanted) -> None:
    if wanted.strategy is not None and "strategy" not in export.takes:
        # Lots are the account's: what one strategy sells another may have bought.
        raise InvalidValue("strategy", wanted.strategy, f"none: {export.kind} are of whole accounts")
    codes = list(Account.objects.order_by("code").values_list("code", flat=True))
    if wanted.account is not None and wanted.account not in codes:
        raise InvalidValue("account", wanted.account, ", ".join(codes) or "there is none yet")
