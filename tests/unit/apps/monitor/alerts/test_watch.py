"""From readings to messages, in the database: nobody is told twice, and nothing is forgotten."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from apps.monitor.alerts import evaluate as evaluating
from apps.monitor.alerts import taking
from apps.monitor.alerts import watch as watching
from apps.monitor.alerts.channels.refusals import NotTaken
from apps.monitor.alerts.machine import FLAPS
from apps.monitor.alerts.measured import Measured
from apps.monitor.alerts.measures import MEASURES
from apps.monitor.alerts.recorder import KEPT, prune
from apps.monitor.alerts.services import alert_acknowledge, rule_change
from apps.monitor.alerts.sweeping import OVERDUE, sweep
from apps.monitor.alerts.unwritten import Unwritten
from apps.monitor.models import Alert, AlertPass, Channel, Delivery, ReadingSample
from moondev.domain.clock import FixedClock, LiveClock
from moondev.domain.errors import InvalidValue
from tests.unit.apps.monitor.alerts.scenery import T0, VENUE, AnswersAll, Platform, look, states, told

pytestmark = pytest.mark.django_db
FIRING, OVER = "old data: a", "Over: old data: a"


@pytest.fixture
def platform():
    found = Platform()
    found.channel()
    return found


def test_an_alert_fires_after_its_time_is_told_once_and_told_to_be_over(platform):
    platform.rule(for_seconds=20, advice="Look at the log.")
    platform.see(data_age=10)
    assert not Alert.objects.exists()
    platform.see(5, data_age=40)
    assert (states(), told()) == ([(VENUE, "pending")], [])
    platform.see(20, data_age=Measured(Decimal(60), "no message since noon"))
    platform.see(5, data_age=65)
    assert (states(), told()) == ([(VENUE, "firing")], [("firing", FIRING)])
    body = Delivery.objects.get().notice["body"]
    for words in ("[critical] old data: a", "60; wrong above 30", "no message since noon", "→ Look at the log."):
        assert words in body
    assert Alert.objects.get().value == 65
    platform.see(5, data_age=1)
    assert states() == [(VENUE, "firing")]
    platform.see(10, data_age=1)
    platform.see(10, data_age=1)
    assert (states(), told()) == ([(VENUE, "resolved")], [("firing", FIRING), ("resolved", OVER)])


def test_what_begins_and_ceases_before_its_time_leaves_nothing(platform):
    platform.rule(for_seconds=20)
    platform.see(data_age=40)
    platform.see(10, data_age=1)
    assert (states(), told()) == ([], [])


def test_within_its_cool_down_it_is_the_same_alert_and_nobody_is_told_anew_until_that_is_over(platform):
    platform.rule(severity="warning", cool_down_seconds=600)
    for _ in range(2):
        platform.see(30, data_age=40)
        # A warning waits for its fellows, and its group keeps quiet for a minute after a message.
        platform.see(60, data_age=40)
        platform.see(10, data_age=1)
        platform.see(60, data_age=1)
    alert = Alert.objects.get()
    assert (alert.count, alert.state) == (1, "resolved")
    assert told() == [("firing", FIRING), ("resolved", OVER)]
    platform.see(10, data_age=40)
    assert Alert.objects.get().held == "cool-down"
    platform.see(600, data_age=40)
    platform.see(60, data_age=40)
    assert told()[2:] == [("firing", FIRING)]
    # Long after its end it is another one.
    platform.see(10, data_age=1)
    platform.see(2000, data_age=1)
    platform.see(2000, data_age=40)
    assert Alert.objects.count() == 2


def test_what_is_critical_is_told_each_time_until_it_counts_as_flapping(platform):
    platform.rule(cool_down_seconds=600)
    for _ in range(6):
        platform.see(30, data_age=40)
        platform.see(10, data_age=1)
        platform.see(10, data_age=1)
    assert [kind for kind, _ in told()] == ["firing", "resolved"] * 3 + ["firing"]
    assert Alert.objects.get().count == FLAPS
    assert Alert.objects.get().state == "firing"


def test_alerts_of_a_group_are_one_message_and_other_channels_get_their_own(platform):
    platform.channel("chat")
    platform.rule(group="venues", channels=["ops"])
    platform.rule("errors", reading="error_rate", threshold=Decimal("0.2"), group="venues", channels=["ops"])
    platform.rule("money", reading="drawdown_use", threshold=Decimal("0.8"), channels=["ops", "chat", "gone"])
    ages = {f"venue:{name}": 40 for name in "abcdefghijklmnopqrstuvwxyz"}
    platform.see(data_age=ages, error_rate={VENUE: "0.5"}, drawdown_use={"strategy:s": "0.9"})
    assert sorted(told()) == [
        ("firing", "27 alerts (venues): errors data: a, …"),
        ("firing", "money data: s"),
        ("firing", "money data: s"),
    ]
    body = Delivery.objects.get(title__startswith="27").notice["body"]
    assert "… and 12 more" in body
    assert Alert.objects.filter(told_at=T0).count() == 28


def test_another_alert_that_says_it_already_keeps_it_quiet_until_that_is_over(platform):
    platform.rule("down", reading="venue_down", comparison="at_least", threshold=Decimal(1))
    platform.rule(muted_by=["down"])
    platform.see(venue_down=1, data_age=40)
    platform.see(20, venue_down=1, data_age=50)
    assert told() == [("firing", "down data: a")]
    assert Alert.objects.get(rule__slug="old").held == "muted"
    # The venue is back, the data are not.
    platform.see(20, venue_down=0, data_age=60)
    platform.see(20, venue_down=0, data_age=60)
    assert told()[1:] == [("firing", FIRING), ("resolved", "Over: down data: a")]


def test_what_is_not_known_is_told_as_that_and_ends_no_alert(platform):
    platform.rule()
    platform.see(data_age=40)
    platform.see(60, data_age=None)
    platform.see(60, data_age=None)
    platform.see(60, failures={"data_age": "cache: refused"})
    platform.see(90, failures={"data_age": "cache: refused"})
    platform.see(90, failures={"data_age": "cache: refused"})
    alerts = {(one.scope, one.about): one for one in Alert.objects.all()}
    assert {key: one.state for key, one in alerts.items()} == {
        (VENUE, "breach"): "firing", (VENUE, "unknown"): "firing", ("everything:*", "unknown"): "firing",
    }  # fmt: skip
    assert alerts[VENUE, "unknown"].severity == "warning"
    assert alerts["everything:*", "unknown"].detail == "cache: refused"
    assert told()[0] == ("firing", FIRING)
    assert {title for _, title in told()[1:]} == {"Not known: old data: a", "Not known: old data"}


def test_quiet_hours_hold_back_what_is_not_critical_and_tell_it_afterwards_in_one_message(platform):
    quiet = {"quiet_from": time(12), "quiet_until": time(13), "severity": "warning"}
    platform.rule(**quiet)
    platform.rule("errors", reading="error_rate", threshold=Decimal("0.2"), **quiet)
    platform.rule("down", reading="venue_down", threshold=Decimal(0), **quiet | {"severity": "critical"})
    platform.see(data_age=40, error_rate="0.5", venue_down=1)
    platform.see(60, data_age=40, error_rate="0.5", venue_down=1)
    assert told() == [("firing", "down data: a")]
    platform.see(60, data_age=1, error_rate="0.5", venue_down=1)
    platform.see(60, data_age=1, error_rate="0.5", venue_down=1)
    assert len(told()) == 1
    platform.see(3600, data_age=1, error_rate="0.5", venue_down=1)
    platform.see(60, data_age=1, error_rate="0.5", venue_down=1)
    assert told()[1:] == [("report", "While it was quiet: 2 alerts, 1 of them not over")]


def test_nobody_answers_and_others_are_told_and_reminded_until_somebody_does(platform):
    platform.channel("boss")
    platform.rule(channels=["ops"], escalate_seconds=60, escalate_channels=["boss"], remind_seconds=120)
    for _ in range(5):
        platform.see(60, data_age=40)
    kinds = list(Delivery.objects.order_by("pk").values_list("notice__kind", "channel__slug"))
    assert kinds == [("firing", "ops"), ("escalated", "boss"), ("reminder", "ops"), ("reminder", "ops")]
    alert = Alert.objects.get()
    answered = alert_acknowledge(alert_id=alert.pk, actor="ana", reason="on it", now=platform.now, label="right")
    assert (answered.state, answered.acknowledged_by, answered.label) == ("acknowledged", "ana", "right")
    platform.see(600, data_age=40)
    assert len(told()) == 4
    platform.see(10, data_age=1)
    platform.see(10, data_age=1)
    assert told()[4:] == [("resolved", OVER)]


def test_an_answer_names_who_and_why_and_is_given_once(platform):
    platform.rule(for_seconds=10)
    platform.see(data_age=40)
    alert = Alert.objects.get()

    def answer(**changed):
        given = {"alert_id": alert.pk, "actor": "ana", "reason": "on it", "now": platform.now}
        return alert_acknowledge(**given | changed)

    for changed, words in (
        ({}, "long enough"), ({"alert_id": 0}, "number of an alert"), ({"reason": "x"}, "reason"),
        ({"actor": ""}, "actor"), ({"label": "maybe"}, "right, false"),
    ):  # fmt: skip
        with pytest.raises(InvalidValue, match=words):
            answer(**changed)
    platform.see(10, data_age=40)
    answer()
    assert answer().acknowledged_by == "ana"
    with pytest.raises(InvalidValue, match="ana has"):
        answer(actor="bob")
    assert answer(actor="bob", label="false").acknowledged_by == "ana"
    platform.see(10, data_age=1)
    platform.see(10, data_age=1)
    with pytest.raises(InvalidValue, match="label"):
        answer()
    assert answer(label="right").label == "right"


def test_without_any_channel_alerts_wait_for_one(platform):
    Delivery.objects.all().delete()
    platform.channel("off", enabled=False)
    type(platform.channel("x")).objects.exclude(slug="off").delete()
    platform.rule()
    platform.see(data_age=40)
    assert Alert.objects.get().held == "no channel"
    platform.channel("mail")
    platform.see(5, data_age=40)
    assert told() == [("firing", FIRING)]


def test_a_rule_that_is_changed_or_switched_off_binds_the_next_pass(platform):
    platform.rule()
    platform.see(data_age=40)
    changed = rule_change(slug="old", values={"threshold": Decimal(50)}, actor="ana", reason="too touchy")
    assert (changed.version, changed.updated_by) == (2, "ana")
    platform.see(10, data_age=40)
    platform.see(10, data_age=40)
    assert states() == [(VENUE, "resolved")]
    platform.see(9000, data_age=60)
    rule_change(slug="old", values={"enabled": False}, actor="ana", reason="not now")
    platform.see(10, data_age=60)
    assert states()[1] == (VENUE, "resolved")
    assert [kind for kind, _ in told()] == ["firing", "resolved", "firing"]
    for values, words in (({"threshold": -1}, "zero or more"), ({"slug": "x"}, "field is 'slug'")):
        with pytest.raises(InvalidValue, match=words):
            rule_change(slug="old", values=values, actor="ana", reason="because")
    with pytest.raises(InvalidValue, match="slug of a rule"):
        rule_change(slug="nobody", values={}, actor="ana", reason="because")


def test_who_dies_in_the_middle_leaves_nothing_behind_and_the_next_pass_does_it_all(platform, monkeypatch):
    platform.rule()
    monkeypatch.setattr(evaluating, "_write", lambda _: (_ for _ in ()).throw(DatabaseError("gone")))
    with pytest.raises(DatabaseError):
        platform.see(data_age=40)
    assert not any(table.objects.exists() for table in (Alert, Delivery, ReadingSample))
    monkeypatch.undo()
    platform.recorder.forget()
    platform.see(1, data_age=40)
    assert (states(), told()) == ([(VENUE, "firing")], [("firing", FIRING)])


def test_a_pass_on_older_readings_than_the_last_changes_nothing(platform):
    platform.rule()
    platform.see(data_age=40)
    assert platform.see(-5, data_age=1) is None
    assert states() == [(VENUE, "firing")]
    # Unless the clock was set back.
    assert platform.see(-3600, data_age=40, other={}) is not None


def test_a_pass_asks_the_database_as_often_for_many_scopes_as_for_few(platform, django_assert_max_num_queries):
    platform.rule(group="venues")
    platform.see(data_age=dict.fromkeys((f"venue:{n}" for n in range(200)), 1))
    with django_assert_max_num_queries(14):
        platform.see(5, data_age=dict.fromkeys((f"venue:{n}" for n in range(200)), 1))


def test_what_is_recorded_is_what_matters_and_what_is_old_goes(platform):
    platform.rule()
    for value in (1, "1.2", 5, 5, 29, 31, None, None, 31):
        platform.see(5, data_age=value)
    platform.see(5, data_age={})
    rows = ReadingSample.objects.order_by("pk").values_list("known", "value")
    assert list(rows) == [
        ("value", 1), ("value", 5), ("value", 29), ("value", 31), ("unknown", None), ("value", 31), ("gone", None),
    ]  # fmt: skip
    # Another watch has recorded meanwhile: what this one remembers is not the last any more.
    other = Platform.__new__(Platform)
    other.now, other.watcher, other.recorder = platform.now, "two", type(platform.recorder)()
    other.see(5, data_age=3)
    platform.now = other.now
    platform.see(5, data_age={})
    assert ReadingSample.objects.order_by("pk").last().known == "gone"
    assert prune(platform.now) == 0
    assert prune(platform.now + 2 * KEPT) > 0
    assert not ReadingSample.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_watches_at_once_tell_everything_once():
    platform = Platform()
    platform.channel()
    platform.rule()
    begin = threading.Barrier(4)

    def pass_often(name):
        mine = Platform.__new__(Platform)
        mine.now, mine.watcher, mine.recorder = T0, name, type(platform.recorder)()
        try:
            begin.wait(10)
            for _ in range(3):
                mine.see(1, data_age={f"venue:{n}": 40 for n in range(10)})
        finally:
            connections.close_all()

    watches = [threading.Thread(target=pass_often, args=(f"w{n}",)) for n in range(4)]
    for watch in watches:
        watch.start()
    for watch in watches:
        watch.join(30)
    assert Alert.objects.count() == 10
    assert told() == [("firing", "10 alerts (old): old data: 0, …")]
    assert AlertPass.objects.count() == 1
    assert connection.is_usable()


def test_what_nobody_else_delivers_the_watch_delivers_itself(platform, monkeypatch):
    sent = []
    monkeypatch.setattr("apps.monitor.alerts.channels.delivering.send", lambda *asked: sent.append(asked) or "")
    platform.rule()
    platform.see(data_age=40)
    assert sweep() == 0, "a worker may be at it yet"
    Delivery.objects.update(next_attempt_at=LiveClock().now() - 2 * OVERDUE)
    assert sweep() == 1
    assert Delivery.objects.get().state == "delivered"
    assert sweep() == 0
    [(channel, letter)] = sent
    assert (channel.slug, letter.notice.title) == ("ops", FIRING)


def test_a_database_that_is_away_for_longer_than_a_restart_is_told_without_it_once_and_when_it_is_back(platform):
    platform.channel("broken")
    told_, now = [], [0.0]

    def tell(channel, notice):
        if channel.slug == "broken":
            raise ValueError("no")
        told_.append((channel.slug, notice.kind, notice.title))

    unwritten = Unwritten(tell, lambda: now[0])
    unwritten.there()
    Channel.objects.all().delete()
    for seconds in (1, 20, 40, 60, 300):
        now[0] = seconds
        unwritten.away("connection refused")
    assert told_ == [("ops", "firing", "The database does not answer")]
    now[0] = 310
    unwritten.there()
    assert told_[1:] == [("ops", "resolved", "Over: The database does not answer")]
    # A restart is nobody's business; and channels that are gone by now are not told.
    unwritten.away("x")
    unwritten.there()
    now[0] = 400
    unwritten.away("x")
    now[0] = 500
    unwritten.away("x")
    assert len(told_) == 2


def test_who_did_not_hear_that_the_database_is_away_is_told_until_he_does(platform):
    for slug in ("hitch", "refuses"):
        platform.channel(slug)
    told_, now, fails = [], [0.0], {"hitch": [None, None], "refuses": [NotTaken("no", permanent=True)]}

    def tell(channel, notice):
        told_.append((channel.slug, notice.kind))
        if fails.get(channel.slug):
            raise fails[channel.slug].pop() or NotTaken("no answer in time")

    unwritten = Unwritten(tell, lambda: now[0])
    unwritten.there()
    for now[0] in (0, 30, 35, 50, 70, 90, 120):
        unwritten.away("connection refused")
    assert told_ == [(slug, "firing") for slug in ("hitch", "ops", "refuses", "hitch", "hitch")]
    unwritten.there()
    assert told_[5:] == [("ops", "resolved"), ("hitch", "resolved")]


def test_who_is_told_over_a_channel_that_reaches_nobody_is_told_over_the_others(platform):
    Channel.objects.create(slug="off", kind="webhook", options={}, enabled=False, fallback=platform.channel("night"))
    for slug, channels in (("lost", ["mute"]), ("detour", ["off", "mute"])):
        platform.rule(slug, channels=channels)
    platform.channel("mute", enabled=False)
    platform.see(data_age=40)
    sent = Delivery.objects.order_by("channel__slug").values_list("title", "channel__slug")
    assert list(sent) == [("lost data: a", "night"), ("detour data: a", "off"), ("lost data: a", "ops")]


def test_what_the_night_holds_back_keeps_nothing_else_quiet(platform):
    quiet = {"quiet_from": time(12), "quiet_until": time(13), "severity": "warning"}
    platform.rule("down", reading="venue_down", comparison="at_least", threshold=Decimal(1), **quiet)
    platform.rule(muted_by=["down"])
    platform.see(venue_down=1, data_age=40)
    assert told() == [("firing", FIRING)]


@pytest.mark.django_db(transaction=True)
def test_a_reading_that_takes_too_long_leaves_the_others_their_say(monkeypatch):
    def slow(_look):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(30)")

    measures = {"slow": replace(MEASURES["disk_use"], name="slow", take=slow), "disk_use": MEASURES["disk_use"]}
    monkeypatch.setattr(taking, "MEASURES", measures)
    taken = taking.take(look(), measures)
    assert (set(taken.readings), set(taken.failures)) == ({"disk_use"}, {"slow"})
    assert "statement timeout" in taken.failures["slow"]
    # Of a database that is away nothing more is asked.
    monkeypatch.setattr(taking, "connection", type("Away", (), {"is_usable": staticmethod(bool)}))
    with pytest.raises(OperationalError):
        taking.take(look(), measures)


def test_what_has_not_changed_for_longer_than_samples_are_kept_is_remembered(platform):
    platform.rule()
    platform.see(data_age=1)
    platform.see(5, data_age=40)
    assert prune(platform.now + 2 * KEPT) == 1
    assert ReadingSample.objects.get().value == 40


@pytest.mark.django_db(transaction=True)
def test_the_watch_outlives_a_database_that_is_away_and_says_so_once(platform, monkeypatch, caplog):
    class Away:
        closed = 0

        def close(self):
            self.closed += 1

    away = Away()
    platform.rule("disk", reading="disk_use", threshold=Decimal(0))
    watch = watching.Watch(FixedClock(T0), AnswersAll(), dict, "one")
    with monkeypatch.context() as patched:
        patched.setattr(watching, "connection", away)
        patched.setattr(watching, "take", lambda *_: (_ for _ in ()).throw(OperationalError("gone")))
        assert [watch.step(), watch.step()] == [False, False]
    assert away.closed == 2
    assert watch.step()
    assert [record.message for record in caplog.records if "alerts" in record.name] == [
        "the alerts are blind, the database does not answer: gone", "the alerts see again",
    ]  # fmt: skip
    assert {scope.partition(":")[0] for scope, _ in states()} == {"disk"}
