"""The one door through which a limit has to pass, from the admin and from services alike."""

from __future__ import annotations

from apps.risk.limit_rules.contradictions import find_contradiction
from apps.risk.limit_rules.places import Places, require_scope
from apps.risk.limits import LimitBook, read_limits
from apps.risk.models import UNITS, Limit, LimitKind, Unit
from apps.risk.scope import ScopeId
from moondev.domain.errors import InvalidValue


def require_limit(wanted: Limit) -> None:
    """Raise InvalidValue, naming field and reason, unless the limit fits what is there; fill in its currency.

    Its own fields have been looked at before (`Limit.clean`). A limit that is switched off contradicts nobody.
    """
    require_scope(wanted.scope_kind, wanted.scope_key)
    kind, scope = LimitKind(wanted.kind), (wanted.scope_kind, wanted.scope_key)
    places = Places.read()
    wanted.currency = _currency(kind, scope, wanted.currency, places)
    if not wanted.active:
        return
    book = read_limits()
    others = {key: value for key, value in book.values.items() if key != (kind.value, *scope)}
    found = find_contradiction(kind, scope, wanted.value, LimitBook(others), places.around)
    if found is not None:
        raise InvalidValue("value", f"{wanted.value.normalize():f}", str(found))


def _currency(kind: LimitKind, scope: ScopeId, given: str, places: Places) -> str:
    """Return the currency of the limit. Raises InvalidValue for a wrong one, and where portfolios count in several."""
    if UNITS[kind] is not Unit.MONEY:
        if given:
            raise InvalidValue("currency", given, f"none: {kind.value} is no amount of money")
        return ""
    found = sorted({places.currencies[code] for code in places.portfolios(scope)})
    if len(found) > 1:
        raise InvalidValue(
            "currency", given, f"one portfolio at a time: those it would bind count in {', '.join(found)}"
        )
    if given and found and given != found[0]:
        raise InvalidValue("currency", given, f"{found[0]}, in which the portfolio counts")
    return found[0] if found else given
