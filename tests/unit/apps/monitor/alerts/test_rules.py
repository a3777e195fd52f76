"""Rules are checked before they are kept, those to begin with too; readings never take nothing for zero."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from apps.monitor.alerts.checking import flaws
from apps.monitor.alerts.fingerprints import BREACH, UNKNOWN, seen_by
from apps.monitor.alerts.measured import Measured, number, seconds
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.seeds import RULES
from apps.monitor.alerts.taking import Taken, take
from apps.monitor.models import AlertRule
from tests.unit.apps.monitor.alerts.scenery import T0, look

D = Decimal


def rule(**changed):
    given = {"slug": "old", "title": "Old", "reading": "data_age", "comparison": "above", "threshold": D(30)}
    return AlertRule(**given | changed)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"reading": "mood"}, "reading", "reading is 'mood'; allowed: drawdown_use"),
        ({"scope": "binance"}, "scope", "allowed: *, kind:* or kind:key"),
        ({"scope": "account:paper-1"}, "scope", "allowed for data_age: * or a scope of kind venue"),
        ({"scope": "venue:a b"}, "scope", "allowed: *, kind:* or kind:key"),
        ({"threshold": D(-1)}, "threshold", "threshold is -1; allowed: zero or more"),
        ({"threshold": D(0), "comparison": "at_least"}, "threshold", "always so"),
        ({"threshold": D(0), "comparison": "below"}, "threshold", "never so"),
        ({"threshold": D(2), "comparison": "at_least", "reading": "venue_down"}, "threshold", "up to 1"),
        ({"quiet_from": time(22)}, "quiet_from", "both quiet_from and quiet_until, or neither"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "quiet_until", "another time"),
        ({"quiet_zone": "Mars/Base"}, "quiet_zone", "Europe/Berlin"),
        ({"escalate_seconds": 60}, "escalate_seconds", "both, or neither"),
        ({"escalate_channels": ["boss"]}, "escalate_seconds", "both, or neither"),
        ({"channels": ["ops", "ops"]}, "channels", "each once"),
        ({"muted_by": ["old"]}, "muted_by", "names old itself"),
        ({"muted_by": ["nobody"]}, "muted_by", "muted_by is nobody; allowed: slugs of rules"),
        ({"slug": "venue-down", "muted_by": ["errors"]}, "muted_by", "errors, which venue-down mutes"),
        ({"slug": "venue-down", "muted_by": ["slow"]}, "muted_by", "slow, which venue-down mutes by way of others"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_what_is_allowed(changed, field, words):
    AlertRule.objects.filter(slug="errors").delete()
    AlertRule.objects.create(slug="errors", title="x", reading="error_rate", threshold=1, muted_by=["venue-down"])
    AlertRule.objects.create(slug="slow", title="x", reading="error_rate", threshold=1, muted_by=["errors"])
    found = flaws(rule(**changed))
    assert list(found) == [field]
    assert words in found[field]
    assert not flaws(rule())


@pytest.mark.django_db
def test_the_rules_to_begin_with_pass_their_own_checks_and_name_each_other_rightly():
    AlertRule.objects.all().delete()
    AlertRule.objects.bulk_create(AlertRule(slug=slug, **values) for slug, values in RULES.items())
    for one in AlertRule.objects.all():
        one.full_clean()
        assert one.advice, one.slug
    # What is critical is not held back by quiet hours, and is told until somebody answers.
    assert {one.reading for one in AlertRule.objects.all()} >= {
        "drawdown_use", "day_loss_use", "breaker_open", "halt_engaged", "halt_open_seconds", "drill_failed",
        "second_writers", "foreign_orders", "orphan_fills", "symbols_differing", "order_unknown_seconds",
        "position_unprotected", "data_age", "book_age", "venue_down", "error_rate", "limiter_use", "queue_length",
        "queue_age", "process_down", "beat_silence", "correlation_age", "tick_failures", "credential_alarms",
        "audit_broken", "disk_use",
    }  # fmt: skip
    for cycle in RULES:
        assert cycle not in RULES[cycle].get("muted_by", ())


def seen(one, readings=None, failures=None, live=()):
    taken = Taken(T0, {} if readings is None else {one.reading: readings}, failures or {})
    return {(each.scope, each.about): each.holds for each in seen_by(one, taken, set(live))}


def test_what_is_not_known_is_neither_well_nor_wrong_and_an_alert_of_its_own():
    one = rule(unknown_severity="warning")
    readings = {"venue:a": Measured(D(31)), "venue:b": Measured(D(30)), "venue:c": Measured(None)}
    assert seen(one, readings) == {
        ("venue:a", BREACH): True, ("venue:a", UNKNOWN): False, ("venue:b", BREACH): False,
        ("venue:b", UNKNOWN): False, ("venue:c", BREACH): None, ("venue:c", UNKNOWN): True,
    }  # fmt: skip
    # A scope that is there no more is well; a rule may say that ignorance is nobody's business.
    assert seen(one, {}, live=[("venue:a", BREACH)]) == {("venue:a", BREACH): False}
    assert seen(rule(unknown_severity=""), {"venue:c": Measured(None)})["venue:c", UNKNOWN] is False
    assert seen(rule(scope="venue:b", unknown_severity="info"), readings).keys() == {
        ("venue:b", BREACH), ("venue:b", UNKNOWN),
    }  # fmt: skip


def test_a_reading_that_could_not_be_taken_ends_nothing_and_says_so_once():
    failed = seen(rule(), failures={"data_age": "cache: refused"}, live=[("venue:a", BREACH)])
    assert failed == {("venue:a", BREACH): None, ("everything:*", UNKNOWN): True}
    [unknown] = [each for each in seen_by(rule(), Taken(T0, {}, {"data_age": "cache: refused"}), ()) if each.holds]
    assert unknown.measured.within == ("source:cache",)


def test_numbers_that_are_none_are_not_known():
    assert [number(x) for x in (None, float("nan"), float("inf"))] == [None, None, None]
    assert number(0.1) == D("0.1")
    for value in (D("NaN"), D("Infinity"), D(10) ** 15, None):
        assert Measured(value).value is None
    assert seconds(T0 - T0) == 0


def test_a_reading_with_a_fault_keeps_no_other_from_being_taken(monkeypatch, caplog):
    def broken(_):
        raise ZeroDivisionError("oh")

    class Broken:
        source, name, take = "machine", "disk_use", staticmethod(broken)

    monkeypatch.setattr("apps.monitor.alerts.taking.MEASURES", {**MEASURES, "broken": Broken})
    taken = take(look(), ["broken", "disk_use", "of-another-release"])
    assert set(taken.readings) == {"disk_use"}
    assert taken.failures["broken"] == "disk_use could not be read: ZeroDivisionError: oh"
    assert taken.failures["of-another-release"] == "there is no such reading"
    assert "could not be taken" in caplog.text
