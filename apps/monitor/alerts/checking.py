"""What is wrong with a rule before it is kept: each sentence names the field, the value, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from apps.monitor.alerts.measured import Measure, Unit
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.quiet import is_zone
from apps.monitor.alerts.scopes import PATTERN
from apps.monitor.models.alerts import ANYWHERE, Comparison

if TYPE_CHECKING:
    from apps.monitor.models import AlertRule

MOST_NAMES = 20


def flaws(rule: AlertRule) -> dict[str, str]:
    """Return what is wrong, by field."""
    return dict((*_measured(rule), *_quiet(rule), *_told(rule), *_muted(rule)))


def _measured(rule: AlertRule) -> Iterator[tuple[str, str]]:
    measure = MEASURES.get(rule.reading)
    if measure is None:
        yield "reading", f"reading is {rule.reading!r}; allowed: {', '.join(MEASURES)}"
        return
    if rule.scope != ANYWHERE and not PATTERN.fullmatch(rule.scope):
        yield "scope", f"scope is {rule.scope!r}; allowed: *, kind:* or kind:key"
    elif rule.scope != ANYWHERE and rule.scope.partition(":")[0] not in measure.kinds:
        kinds = ", ".join(measure.kinds)
        yield "scope", f"scope is {rule.scope!r}; allowed for {measure.name}: * or a scope of kind {kinds}"
    if words := _threshold(rule, measure):
        yield "threshold", f"threshold is {rule.threshold}; allowed: {words}"


def _threshold(rule: AlertRule, measure: Measure) -> str:
    """Return what is allowed, where the rule could never fire, or would never end. No reading is below zero."""
    if rule.threshold is None:
        return ""  # the field itself says that it is required
    upwards = rule.comparison in {Comparison.ABOVE, Comparison.AT_LEAST}
    lowest_fires = rule.comparison in {Comparison.AT_LEAST, Comparison.AT_MOST}
    if rule.threshold < 0:
        return "zero or more: no reading is below that"
    if rule.threshold == 0 and upwards and lowest_fires:
        return "a number above 0: at or above zero is always so"
    if rule.threshold == 0 and not upwards and not lowest_fires:
        return "a number above 0: below zero is never so"
    if measure.unit is Unit.YES_NO and upwards and rule.threshold > 1:
        return "up to 1: the reading is 1 or 0"
    return ""


def _quiet(rule: AlertRule) -> Iterator[tuple[str, str]]:
    if (rule.quiet_from is None) != (rule.quiet_until is None):
        yield "quiet_from", "quiet hours have one end only; allowed: both quiet_from and quiet_until, or neither"
    elif rule.quiet_from is not None and rule.quiet_from == rule.quiet_until:
        yield "quiet_until", f"quiet_until is {rule.quiet_until}, as quiet_from; allowed: another time"
    if not is_zone(rule.quiet_zone):
        yield "quiet_zone", f"quiet_zone is {rule.quiet_zone!r}; allowed: a name such as UTC or Europe/Berlin"


def _told(rule: AlertRule) -> Iterator[tuple[str, str]]:
    for field in ("channels", "escalate_channels", "muted_by"):
        names: list[str] = getattr(rule, field)
        if len(names) > MOST_NAMES or len(set(names)) < len(names):
            yield field, f"{field} is {', '.join(names)[:200]}; allowed: at most {MOST_NAMES} names, each once"
    if (rule.escalate_seconds is None) != (not rule.escalate_channels):
        message = "escalation needs both escalate_seconds and escalate_channels; allowed: both, or neither"
        yield "escalate_seconds", message


def _muted(rule: AlertRule) -> Iterator[tuple[str, str]]:
    if rule.slug in rule.muted_by:
        yield "muted_by", f"muted_by names {rule.slug} itself; allowed: other rules"
        return
    rules: dict[str, list[str]] = dict(type(rule).objects.values_list("slug", "muted_by"))
    if unknown := [slug for slug in rule.muted_by if slug not in rules]:
        yield "muted_by", f"muted_by is {', '.join(unknown)}; allowed: slugs of rules"
    elif back := [slug for slug in rule.muted_by if rule.slug in rules[slug]]:
        yield "muted_by", f"muted_by names {', '.join(back)}, which {rule.slug} mutes; allowed: one of the two"
    elif around := [slug for slug in rule.muted_by if rule.slug in _silencers(slug, rules)]:
        words = f"muted_by names {', '.join(around)}, which {rule.slug} mutes by way of others"
        yield "muted_by", f"{words}: when all of them fire nobody is told; allowed: no circle"


def _silencers(slug: str, rules: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the rules that mute a rule, those that mute these, and so on."""
    found: set[str] = set()
    waiting = [slug]
    while waiting:
        fresh = set(rules.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return found
