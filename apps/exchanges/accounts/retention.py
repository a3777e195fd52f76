"""How long equity marks are kept: every second for an hour, then one a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.exchanges.bulk import run

FINE_FOR = timedelta(hours=1)
# Looked at per pass, so that a pass stays short however much has gathered; passes come every few seconds.
WINDOW = timedelta(hours=1)


def marks_thin(venue: str, now: datetime) -> int:
    """Delete the marks of one venue's accounts that are an hour old, but for the last of each minute; return how many.

    Drawdown is measured from the high-water mark's own row, so nothing that binds depends on what goes.
    """
    newest = now - FINE_FOR
    return run(
        "DELETE FROM exchanges_equitymark WHERE id IN (SELECT id FROM ("
        " SELECT m.id, row_number() OVER (PARTITION BY m.account_id, date_trunc('minute', m.taken_at)"
        " ORDER BY m.taken_at DESC, m.id DESC) AS place"
        " FROM exchanges_equitymark m JOIN exchanges_account a ON a.id = m.account_id"
        " WHERE a.venue_id = %s AND m.taken_at < %s AND m.taken_at >= %s) placed WHERE place > 1)",
        (venue, newest, newest - WINDOW),
    )
