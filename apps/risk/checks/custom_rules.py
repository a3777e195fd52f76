"""Custom rules: what a person wants to hold before anything opens. One that cannot be told does not hold."""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from apps.risk.rules.book import binding
from apps.risk.rules.language import holds
from apps.risk.rules.order_values import values_of
from moondev.domain.decisions import RefusalCode
from moondev.domain.errors import InvalidValue


def find_broken_rule(candidate: Candidate) -> Breach | None:
    """Return the breach of the first rule, by name, that does not hold or cannot be told."""
    facts = candidate.facts
    rules = binding(facts.rules, candidate.around) if facts.rules else []
    if not rules or facts.read_at is None:
        return None
    values = values_of(candidate, facts.read_at)
    for rule in rules:
        try:
            if holds(rule.expression, values):
                continue
        except InvalidValue as error:
            return Breach(RefusalCode.CUSTOM_RULE, f"{rule.name}: {rule.expression}"[:100], str(error)[:100])
        return Breach(RefusalCode.CUSTOM_RULE, f"{rule.name}: {rule.expression}"[:100], "does not hold")
    return None


CUSTOM_RULES = Check(
    name="custom rules",
    codes={RefusalCode.CUSTOM_RULE: "A rule of the operator's own does not hold, or cannot be told."},
    find=find_broken_rule,
    binds_reducing=False,
)
