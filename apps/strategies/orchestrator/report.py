"""What a tick leaves behind for the operator: small, plain, and enough to see why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from apps.strategies.orchestrator.work import Ready, Work
from moondev.domain.decisions import RiskRefused
from moondev.domain.desired import Desired, Legs, Quotes, Target
from moondev.domain.orders import AmendOrder, CancelOrder, OrderRequest

# A report is read by people: a ladder of a hundred requests is summed up, not listed.
MOST_LINES = 20

JSONDict = dict[str, Any]


def report_of(ready: Ready, refused: Iterable[RiskRefused], stages_ms: dict[str, float]) -> JSONDict:
    """Return the report of a recorded tick; durations in milliseconds."""
    view = ready.decided.work.view
    return {
        "seen": _seen(ready.decided.work),
        "age_ms": {key: _ms(seen.age.total_seconds()) for key, seen in view.instruments.items()},
        "desired": [_wish(wish) for wish in ready.decided.decision.desired][:MOST_LINES],
        "notes": [*ready.decided.decision.notes, *ready.plan.notes][:MOST_LINES],
        "plan": [request_text(request) for request in ready.plan.requests][:MOST_LINES],
        "refusals": [_refusal(refusal) for refusal in refused][:MOST_LINES],
        "stages_ms": {name: round(value, 2) for name, value in stages_ms.items()},
    }


def _seen(work: Work) -> JSONDict:
    """Return by instrument what the plan started from: the price, what is held, how many orders work."""
    working = Counter(order.instrument for order in work.working)
    return {
        key: {
            "price": None if price is None else str(price),
            "held": str(work.holdings[key].quantity) if key in work.holdings else "0",
            "working": working[key],
        }
        for key, price in list(work.prices.items())[:MOST_LINES]
    }


def request_text(request: OrderRequest) -> str:
    """Return one request as an operator would say it."""
    if isinstance(request, CancelOrder):
        return f"cancel {request.instrument} {request.client_order_id}: {request.reason}"
    if isinstance(request, AmendOrder):
        return f"amend {request.instrument} {request.client_order_id} to {request.remaining} @ {request.price}"
    trigger = "" if request.trigger_price is None else f" once {request.trigger_price}"
    return (
        f"{request.purpose.value} {request.side.value} {request.quantity} {request.instrument}"
        f" @ {request.price} {request.order_type.value} {request.time_in_force.value}{trigger}"
    )


def _wish(wish: Desired) -> JSONDict:
    if isinstance(wish, Quotes):
        sides = {
            name: [f"{q.quantity} @ {q.price}" for q in side[:MOST_LINES]]
            for name, side in (("bids", wish.bids), ("asks", wish.asks))
        }
        return {"instrument": wish.instrument, **sides, "reason": wish.reason}
    if isinstance(wish, Legs):
        return {"legs": [_target(target) for target in wish.targets], "max_leg_gap_ms": wish.max_leg_gap_ms}
    return _target(wish)


def _target(target: Target) -> JSONDict:
    levels = {
        name: str(price)
        for name, price in (("entry", target.entry), ("stop", target.stop), ("take_profit", target.take_profit))
        if price is not None
    }
    named = {"instrument": target.instrument, "weight": float(target.weight), "signal": target.signal_id}
    return {**named, "reason": target.reason, **levels}


def _refusal(refusal: RiskRefused) -> JSONDict:
    return {
        "code": refusal.code.value,
        "limit": str(refusal.limit),
        "value": str(refusal.value),
        "request": request_text(refusal.request),
    }


def _ms(seconds: float) -> float | None:
    """Return milliseconds; None when there was no data at all (an age without end)."""
    return None if seconds > 1e9 else round(seconds * 1000, 1)
