"""The report counts what was for nothing; a rule tried on what was read fires as the watch would have."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.alerts.history.replay import Step, Trial, replay
from apps.monitor.alerts.history.report import worth_of_rules
from apps.monitor.alerts.history.trials import try_rule, usual_variants
from apps.monitor.alerts.machine import Timing, turn
from apps.monitor.alerts.services import alert_acknowledge
from apps.monitor.models import Alert, Comparison
from tests.unit.apps.monitor.alerts.scenery import T0, Platform

D = Decimal
EVERY = timedelta(seconds=5)
seconds = st.sampled_from([0, 3, 5, 12, 20, 40]).map(lambda n: timedelta(seconds=n))


@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, None, "gone"]), min_size=1, max_size=60),
    st.builds(Timing, seconds, seconds, seconds),
)
def test_what_is_replayed_fires_exactly_when_the_watch_would_have(values, timing):
    trial = Trial(Comparison.AT_LEAST, 2.0, timing)
    standing, live, steps = None, [], []
    for index, value in enumerate(values):
        now = T0 + index * EVERY
        known = None if value == "gone" else value
        if not steps or (steps[-1].value, steps[-1].gone) != (known, value == "gone"):
            steps.append(Step(now, known, value == "gone"))
        holds = False if value == "gone" else None if value is None else value >= 2
        before, standing = standing, turn(standing, now, timing, holds=holds)
        if standing and standing.state == "firing" and (not before or before.state != "firing"):
            live.append((now, standing.count > 0))
    found = replay(steps, trial, T0 + (len(values) - 1) * EVERY)
    assert [(one.at, one.again) for one in found] == live
    assert all(one.ended is None or one.ended >= one.at for one in found)


@pytest.mark.django_db
def test_each_rule_is_told_what_it_was_worth_and_tried_with_other_numbers():
    platform = Platform()
    platform.channel()
    rule = platform.rule(resolve_seconds=0, cool_down_seconds=0)
    platform.rule("silent", reading="error_rate")
    # 40 s for ten seconds, 80 s for a minute, 35 s for a minute.
    for value, lasting in ((40, 10), (1, 60), (80, 60), (1, 60), (35, 60), (1, 60)):
        for _ in range(lasting // 5):
            platform.see(5, data_age=value, error_rate="0.1")
    first, second, third = Alert.objects.order_by("pk")
    for alert, label in ((second, "right"), (third, "false")):
        alert_acknowledge(alert_id=alert.pk, actor="ana", reason="looked at", now=platform.now, label=label)
    worth, silent = worth_of_rules(T0)
    assert (worth.rule, worth.fired, worth.told, worth.right, worth.false) == ("old", 3, 3, 1, 1)
    assert (worth.brief, worth.false_share) == (1, 0.5)
    assert (silent.fired, silent.false_share) == (0, None)
    assert first.told_at is not None
    assert [one.fired for one in worth_of_rules(platform.now)] == [0, 0]
    until = platform.now
    tried = try_rule(rule, [(D(30), 0), (D(30), 30), (D(50), 0), (D(100), 0)], T0, until)
    assert [one.fired for one in tried] == [3, 2, 1, 0]
    assert [one.present for one in tried] == [True, False, False, False]
    assert tried[0].seconds == 130
    # What it was when the time asked for began counts as well.
    [later] = try_rule(rule, [(D(30), 0)], T0 + timedelta(seconds=105), until)
    assert later.fired == 2
    assert len(usual_variants(rule)) == 16
    for deed, words in ((["report"], "old"), (["try", "old"], "would have fired"), (["list", "--all"], "resolved")):
        out = StringIO()
        call_command("alerts", *deed, stdout=out)
        assert words in out.getvalue()
    with pytest.raises(CommandError, match="slug of a rule"):
        call_command("alerts", "try", "nobody")
