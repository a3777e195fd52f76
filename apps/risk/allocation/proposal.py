"""What each strategy should have, and why: from shares, what it has now, and a budget to be kept to. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

import numpy as np

from apps.risk.allocation.weights import (
    AllocationMethod,
    Floats,
    capped,
    risk_shares,
    shares,
    shrunk_covariance,
)
from moondev.domain.errors import InvalidValue
from moondev.domain.values import ZERO

CENT, FLOAT_NOISE = Decimal("0.01"), Decimal("1e-6")


@dataclass(frozen=True, slots=True)
class Terms:
    """How to propose.

    `most_share` of what is shared out goes to one strategy at most. `damping` is the part of the way that is gone at
    once: 1 is all of it, 0.5 half. A change of less than `least_change` of what a strategy has is not worth one.
    `fewest_samples` returns must be known of a strategy before its own are believed.
    """

    method: AllocationMethod = AllocationMethod.EQUAL_RISK
    most_share: float = 0.4
    damping: float = 0.5
    least_change: float = 0.05
    fewest_samples: int = 168

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing, naming field, value and what is allowed."""
        if self.method not in set(AllocationMethod):
            raise InvalidValue("method", self.method, ", ".join(AllocationMethod))
        for name, value, least in (("most_share", self.most_share, 0.01), ("damping", self.damping, 0.01)):
            if not least <= value <= 1:
                raise InvalidValue(name, value, f"a share from {least} to 1")
        if not 0 <= self.least_change <= 0.5:
            raise InvalidValue("least_change", self.least_change, "a share from 0 to 0.5")
        if not 20 <= self.fewest_samples <= 10_000:
            raise InvalidValue("fewest_samples", self.fewest_samples, "a whole number from 20 to 10000")


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy: what it has, what it should have, and why. `volatility` is of one step, None when not known.

    `risk_share` is what it would add to the risk of all that are shared out; None where it is left as it is.
    """

    strategy: str
    before: Decimal
    after: Decimal
    why: str
    volatility: float | None = None
    risk_share: float | None = None


def propose(
    capitals: Mapping[str, Decimal], returns: Mapping[str, Floats], budget: Decimal, terms: Terms
) -> list[Line]:
    """Return a line per strategy of `capitals`, by name; together they never have more than `budget`.

    `returns` are those of one grid, NaN where a step was not seen. A strategy of which too little is known keeps what
    it has, unless all together had more than the budget: then everybody is cut alike. Raises InvalidValue for a budget
    that is none.
    """
    if not (budget.is_finite() and budget > 0):
        raise InvalidValue("budget", budget, "an amount above 0")
    names = sorted(capitals)
    left_out = {name: why for name in names if (why := _unknown(returns.get(name), terms))}
    known = [name for name in names if name not in left_out]
    table = _complete(returns, known)
    if len(table) < terms.fewest_samples and terms.method is not AllocationMethod.EQUAL:
        why = f"only {len(table)} steps are known of all together, {terms.fewest_samples} are needed"
        left_out, known = {**left_out, **dict.fromkeys(known, why)}, []
    lines = {name: Line(name, capitals[name], capitals[name], f"left as it is: {left_out[name]}") for name in left_out}
    kept = sum((capitals[name] for name in left_out), ZERO)
    if known:
        lines |= _shared_out(known, capitals, table, max(budget - kept, ZERO), terms)
    return _within([lines[name] for name in names], budget)


def _unknown(returns: Floats | None, terms: Terms) -> str:
    """Return why nothing can be said of a strategy; empty when something can."""
    if terms.method is AllocationMethod.EQUAL:
        return ""
    seen = np.empty(0) if returns is None else returns[np.isfinite(returns)]
    if len(seen) < terms.fewest_samples:
        return f"{len(seen)} steps are known of it, {terms.fewest_samples} are needed"
    return "" if float(np.std(seen)) > 0 else "it has not moved at all"


def _complete(returns: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Return the steps in which all of `names` were seen, a column for each."""
    if not names or any(name not in returns for name in names):
        return np.empty((0, len(names)))
    table = np.column_stack([returns[name] for name in names])
    return table[np.isfinite(table).all(axis=1)]


def _shared_out(
    names: Sequence[str], capitals: Mapping[str, Decimal], table: Floats, budget: Decimal, terms: Terms
) -> dict[str, Line]:
    told = len(table) >= 2
    covariance = shrunk_covariance(table) if told else np.eye(len(names))
    if not bool((np.diag(covariance) > 0).all()):
        told, covariance = False, np.eye(len(names))
    wanted = capped(shares(terms.method, covariance), terms.most_share)
    most = Decimal(repr(max(terms.most_share, 1 / len(names)))) * budget
    lines = {}
    for name, share in zip(names, wanted.tolist(), strict=True):
        goal = Decimal(repr(share)) * budget
        after = capitals[name] + Decimal(repr(terms.damping)) * (goal - capitals[name])
        # First what floats have added or taken away (a third of 60 is 20), then down to whole cents: all together can
        # then not come to more than the budget.
        after = min(after, most).quantize(FLOAT_NOISE).quantize(CENT, rounding=ROUND_DOWN)
        lines[name] = Line(name, capitals[name], after, _why(share, terms))
    if not told:
        return lines
    paid = np.array([float(line.after) for line in lines.values()])
    parts = risk_shares(paid, covariance) if paid.sum() > 0 else wanted
    deviations = np.sqrt(np.diag(covariance))
    return {
        name: replace(line, volatility=float(deviation), risk_share=float(part))
        for (name, line), deviation, part in zip(lines.items(), deviations, parts, strict=True)
    }


def _why(share: float, terms: Terms) -> str:
    words = f"{terms.method.replace('_', ' ')}: {share:.1%} of what is shared out"
    if math.isclose(share, terms.most_share, rel_tol=1e-6):
        words += ", the most for one"
    return words if terms.damping >= 1 else f"{words}, {terms.damping:.0%} of the way at once"


def _within(lines: list[Line], budget: Decimal) -> list[Line]:
    """Return the lines in whole cents, cut alike where they were above the budget."""
    total = sum((line.after for line in lines), ZERO)
    factor = min(budget / total, Decimal(1)) if total > 0 else Decimal(1)
    found = []
    for line in lines:
        after = (line.after * factor).quantize(CENT, rounding=ROUND_DOWN)
        cut = f"{line.why}; cut with all others to what there is" if factor < 1 else line.why
        found.append(replace(line, after=after, why=cut))
    return found


def settled(lines: Sequence[Line], budget: Decimal, terms: Terms) -> list[Line]:
    """Return the lines with changes that are too small left out, as far as the budget allows."""
    quiet = [
        replace(line, after=line.before, why=f"{line.why}; too small a change to make")
        if line.after != line.before and abs(line.after - line.before) < Decimal(repr(terms.least_change)) * line.before
        else line
        for line in lines
    ]
    return quiet if sum((line.after for line in quiet), ZERO) <= budget else list(lines)
