"""People are told once, of what nobody else has said, when they want to be told, and in few messages."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.alerts.bundles import USUAL_GATHER, USUAL_PAUSE, Item, bundles
from apps.monitor.alerts.muting import Loud, Perhaps, is_muted
from apps.monitor.alerts.quiet import in_quiet_hours, is_zone
from apps.monitor.alerts.scopes import covers
from apps.monitor.alerts.telling import Due, Held, Manner, Moment, Told, is_silent_end, telling
from apps.monitor.models.alerts import AlertState, Severity

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
PENDING, FIRING, ACKNOWLEDGED, RESOLVED = AlertState


def s(seconds):
    return timedelta(seconds=seconds)


MANNER = Manner(s(600), escalate_after=s(300), remind_every=s(900))


def what(state=FIRING, after=0, told=None, manner=MANNER, fired_at=T0, **moment):
    return telling(state, fired_at, told or Told(closed=False), manner, Moment(T0 + s(after), **moment))


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (what(), Due.FIRING),
        (what(state=PENDING, fired_at=None), None),
        (what(state=PENDING), None),
        (what(muted=True), Held.MUTED),
        (what(quiet=True), Held.QUIET),
        (what(clearing=True), None),
        (what(state=ACKNOWLEDGED), None),
        # Told of its last coming a moment ago; then the cool-down is over and it is still so.
        (what(after=10, told=Told(T0 - s(20))), Held.COOL_DOWN),
        (what(after=600, told=Told(T0 - s(20))), Due.FIRING),
        # What is critical does not leave those in peace who have just heard that it is over.
        (what(after=10, told=Told(T0 - s(20)), manner=Manner(s(600), insists=True)), Due.FIRING),
        (what(after=10, told=Told(T0 - s(20)), manner=Manner(s(600), insists=True), quiet=True), Held.QUIET),
        # What quiet hours held back comes in one message with the others.
        (what(told=Told(held="quiet")), Due.DIGEST),
        # Nobody answers.
        (what(after=299, told=Told(T0)), None),
        (what(after=300, told=Told(T0)), Due.ESCALATED),
        (what(after=301, told=Told(T0, escalated_at=T0 + s(300))), None),
        (what(after=900, told=Told(T0, escalated_at=T0 + s(300))), Due.REMINDER),
        (what(after=1000, told=Told(T0, T0 + s(900), T0 + s(300))), None),
        (what(after=1800, told=Told(T0, T0 + s(900), T0 + s(300))), Due.REMINDER),
        (what(after=300, told=Told(T0), quiet=True), None),
        (what(after=300, told=Told(T0), muted=True), None),
        (what(after=9000, told=Told(T0), manner=Manner(s(600))), None),
        # It is over.
        (what(state=RESOLVED, after=60, told=Told(T0, closed=False)), Due.RESOLVED),
        (what(state=RESOLVED, after=60, told=Told(T0, closed=False), quiet=True), Held.QUIET),
        (what(state=RESOLVED, after=60, told=Told(T0, closed=True)), None),
        (what(state=RESOLVED, after=60, told=Told(closed=False)), None),
        (what(state=RESOLVED, after=60, told=Told(closed=False, held="quiet")), Due.DIGEST),
    ],
)
def test_what_is_due(asked, due):
    assert asked is due


def test_an_end_needs_no_word_when_nobody_had_heard_of_it():
    assert is_silent_end(Told(closed=False), MANNER, T0)
    assert is_silent_end(Told(T0, closed=False), Manner(s(0), tells_resolved=False), T0)
    assert not is_silent_end(Told(T0, closed=False), MANNER, T0)
    assert not is_silent_end(Told(closed=False, held="quiet"), MANNER, T0)


def item(number, due=Due.FIRING, group="venues", severity=Severity.WARNING, since=T0, channels=("mail",)):
    return Item(number, due, group, severity, since, channels)


def test_alerts_of_a_group_gather_and_go_out_together():
    two = [item(1), item(2, since=T0 + s(9))]
    assert bundles(two, {}, T0 + s(9)) == []
    [bundle] = bundles(two, {}, T0 + USUAL_GATHER)
    assert [one.alert for one in bundle.items] == [1, 2]
    # A third is told after the group's pause, not at once.
    late = item(3, since=T0 + s(11))
    assert bundles([late], {"venues": T0 + s(10)}, T0 + s(30)) == []
    assert len(bundles([late], {"venues": T0 + s(10)}, T0 + s(10) + USUAL_PAUSE)) == 1


def test_what_is_critical_does_not_wait_and_takes_the_others_along():
    [bundle] = bundles([item(1), item(2, severity=Severity.CRITICAL)], {}, T0)
    assert bundle.severity is Severity.CRITICAL
    assert [one.alert for one in bundle.items] == [2, 1]
    assert bundles([item(3, severity=Severity.CRITICAL)], {"venues": T0}, T0 + s(10)) == []
    assert len(bundles([item(3, severity=Severity.CRITICAL)], {"venues": T0}, T0 + s(15))) == 1


def test_other_groups_channels_and_matters_are_other_messages():
    now = T0 + s(60)
    apart = [item(1), item(2, group="money"), item(3, channels=("chat",)), item(4, due=Due.RESOLVED)]
    assert len(bundles(apart, {}, now)) == 4
    # A digest is of all groups.
    digest = [item(1, due=Due.DIGEST), item(2, due=Due.DIGEST, group="money")]
    assert len(bundles(digest, {}, now)) == 1


@given(
    st.lists(
        st.builds(
            item, st.integers(1, 9), st.sampled_from(Due), st.sampled_from(["a", "b"]), st.sampled_from(Severity),
            st.integers(-100, 0).map(lambda n: T0 + s(n)), st.sampled_from([("x",), ("x", "y")]),
        ),
        max_size=30, unique_by=lambda one: one.alert,
    )
)  # fmt: skip
def test_no_alert_is_in_two_messages_and_none_waits_for_ever(items):
    sent = [one for bundle in bundles(items, {}, T0) for one in bundle.items]
    assert len(sent) == len(set(sent))
    later = [one for bundle in bundles(items, {"a": T0, "b": T0}, T0 + USUAL_PAUSE) for one in bundle.items]
    assert set(later) == set(items)


def test_what_another_alert_says_already_is_not_told():
    down = Loud("venue-down", "venue_down", "venue:binance")
    old = Perhaps(["venue-down"], {"venue:binance"}, unknown=False)
    assert is_muted(old, [down])
    assert is_muted(Perhaps(["venue-down"], {"account:a", "venue:binance"}, unknown=False), [down])
    assert not is_muted(old, [Loud("venue-down", "venue_down", "venue:bybit")])
    assert not is_muted(Perhaps([], {"venue:binance"}, unknown=False), [down])
    assert not is_muted(old, [])
    # What cannot be read, because what it is read from is down.
    cache = Loud("source-down", "source_down", "source:cache")
    assert is_muted(Perhaps([], {"everything:*", "source:cache"}, unknown=True), [cache])
    assert not is_muted(Perhaps([], {"everything:*", "source:broker"}, unknown=True), [cache])
    assert not is_muted(Perhaps([], {"everything:*", "source:cache"}, unknown=False), [cache])
    assert is_muted(Perhaps(["source-down"], {"strategy:x"}, unknown=False), [cache])


def test_quiet_hours_follow_the_clocks_of_their_zone():
    begins, ends = time(22), time(7)
    at = datetime(2026, 7, 1, 20, 30, tzinfo=UTC)
    assert in_quiet_hours(at, begins, ends, "Europe/Berlin")
    assert not in_quiet_hours(at, begins, ends, "UTC")
    assert in_quiet_hours(at + timedelta(hours=2), begins, ends, "UTC")
    assert not in_quiet_hours(at, None, None, "UTC")
    assert in_quiet_hours(at, time(20), time(21), "UTC")
    assert not in_quiet_hours(at, time(21), time(22), "UTC")
    # The hour that the clocks go through twice is quiet both times, the hour they skip is no error.
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert in_quiet_hours(twice, time(2), time(3), "Europe/Berlin")
    assert in_quiet_hours(twice + timedelta(hours=1), time(2), time(3), "Europe/Berlin")
    assert not in_quiet_hours(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), time(2), time(3), "Europe/Berlin")
    with pytest.raises(ValueError, match="time zone"):
        in_quiet_hours(datetime(2026, 1, 1), begins, ends, "UTC")  # noqa: DTZ001  naive on purpose
    # Better told at night than never, where this machine's zones are fewer than those of who wrote the rule.
    assert not in_quiet_hours(at, time(20), time(21), "Mars/Base")
    assert is_zone("America/New_York")
    assert not any(is_zone(name) for name in ("", "Mars/Base", "../../etc/passwd", "Europe", "\0", "x" * 500))


def test_a_rule_is_about_its_scope_and_what_lies_in_it():
    within = ("strategy:turtle", "account:paper-1")
    assert covers("*", "position:x", within)
    assert covers("account:paper-1", "position:x", within)
    assert covers("account:*", "position:x", within)
    assert not covers("account:paper", "position:x", within)
    assert not covers("venue:*", "position:x", within)
