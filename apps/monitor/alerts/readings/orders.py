"""Orders whose fate is not known, and positions that lost their stop."""

from __future__ import annotations

from apps.exchanges.bulk import fetch
from apps.exchanges.models import Account
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import NO, YES, Measured, Readings, number, scope

# Of a position: the orders that protect it now, and whether it was ever to be protected. What quotes both sides never
# asks for a stop; who has asked for one, for this very position, has none now only because it was lost.
_UNPROTECTED = (
    "SELECT a.code, a.venue_id, p.strategy, i.symbol, p.quantity::text,"
    " EXISTS (SELECT 1 FROM exchanges_order o WHERE o.account_id = p.account_id AND o.strategy = p.strategy"
    "  AND o.instrument_id = p.instrument_id AND o.purpose = 'protective'"
    "  AND o.side = CASE WHEN p.quantity > 0 THEN 'sell' ELSE 'buy' END"
    "  AND o.status IN ('created', 'approved', 'sending', 'unknown', 'held', 'open', 'partially_filled', 'amending',"
    "  'cancelling')) AS protected"
    " FROM exchanges_position p JOIN exchanges_account a ON a.id = p.account_id"
    " JOIN exchanges_instrument i ON i.id = p.instrument_id"
    " WHERE p.quantity <> 0 AND a.enabled AND EXISTS (SELECT 1 FROM exchanges_order o"
    "  WHERE o.strategy = p.strategy AND o.account_id = p.account_id AND o.instrument_id = p.instrument_id"
    "  AND o.created_at >= coalesce(p.opened_at, p.updated_at) - interval '1 minute'"
    "  AND (o.purpose = 'protective' OR o.stop_price IS NOT NULL))"
)


def order_unknown_seconds(look: Look) -> Readings:
    """Return for how long the oldest order of each account has been out without anybody knowing what became of it."""
    waiting = fetch(
        "SELECT account_id, min(coalesce(sent_at, created_at)), count(*) FROM exchanges_order"
        " WHERE status = 'unknown' GROUP BY 1"
    )
    oldest = {account: (at, count) for account, at, count in waiting}
    found = {}
    for key, code, venue in Account.objects.filter(enabled=True).values_list("pk", "code", "venue_id"):
        at, count = oldest.get(key, (look.now, 0))
        words = f"{count} orders" if count else ""
        found[scope("account", code)] = Measured(number(look.since(at)), words, (scope("venue", venue),))
    return found


def position_unprotected(_look: Look) -> Readings:
    """Return 1 for a position that was to have a stop, or had one, and has none."""
    return {
        scope("position", f"{code}/{strategy}/{symbol}"): Measured(
            NO if protected else YES,
            "" if protected else f"{strategy} holds {_short(quantity)} {symbol} without a stop",
            (scope("strategy", strategy), scope("account", code), scope("venue", venue)),
        )
        for code, venue, strategy, symbol, quantity, protected in fetch(_UNPROTECTED)
    }


def _short(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount
