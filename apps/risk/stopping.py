"""What people may do to whatever trades: one door for the command line, the admin and the API.

Every deed takes who does it, why, and the time; every refusal is an InvalidValue that says what is allowed, or a
Connectivity when a voice that must agree could not be reached.

    engage           stop a scope: cancel, reduce only, or flatten; see `Closing` for how it is flattened
    release_ask      ask for a release; carried out at once where one person is enough (`state` "released")
    release_confirm  agree to another person's release, which carries it out
    release_withdraw take a release back that waits
    releases_waiting what a second person may confirm
    status           what every voice says, and which halts are under way
    drill_start      rehearse it on paper; the row returned says later what was found
"""

from apps.exchanges.models import TradingMode, Veto
from apps.risk.drills import drill_start
from apps.risk.models import DrillRun, ReleaseRequest
from apps.risk.releases import (
    needs_second_person,
    release_ask,
    release_confirm,
    release_withdraw,
    releases_waiting,
)
from apps.risk.scope import parse_scope
from apps.risk.vetoes import AT_ONCE, Closing, Engaged, Status, engage, status

Urgency = Veto.Urgency

__all__ = [
    "AT_ONCE",
    "Closing",
    "DrillRun",
    "Engaged",
    "ReleaseRequest",
    "Status",
    "TradingMode",
    "Urgency",
    "drill_start",
    "engage",
    "needs_second_person",
    "parse_scope",
    "release_ask",
    "release_confirm",
    "release_withdraw",
    "releases_waiting",
    "status",
]
