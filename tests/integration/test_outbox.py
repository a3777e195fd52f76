"""The outbox: what is queued reaches somebody, once where nothing breaks, with the same key where something does."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from kombu.exceptions import OperationalError

from apps.monitor.alerts.channels import delivering
from apps.monitor.alerts.channels.claims import LEASE, PATIENCE, claim_next, settle
from apps.monitor.alerts.channels.delivering import ATTEMPTS_ALONE, deliver_due, try_out
from apps.monitor.alerts.notice import Notice
from apps.monitor.alerts.outbox import enqueue
from apps.monitor.models import Channel, Delivery
from apps.strategies.orchestrator.schedule import housekeeping
from moondev.celery import app
from moondev.domain.errors import InvalidValue
from tests.support.alert_servers import playing
from tests.support.deaths import Killed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
KEY = "a-signing-key-of-enough-bytes"


@pytest.fixture(scope="module")
def world():
    with playing() as played:
        yield played


@pytest.fixture
def played(world, monkeypatch):
    world.asked.clear()
    world.answers.clear()
    monkeypatch.setenv("ALERTS_HOOK", KEY)
    monkeypatch.setattr(app, "send_task", lambda *_args, **_options: None)
    return world


@pytest.fixture
def channel(played):
    def make(slug, fallback=None, **changed):
        options = {"url": f"{played.url}/{slug}"}
        return Channel.objects.create(
            slug=slug, kind="webhook", secret_variable="ALERTS_HOOK", options=options, fallback=fallback, **changed
        )

    return make


def notice(severity="critical", title="Stream is old", **changed):
    return Notice(**{"kind": "firing", "severity": severity, "title": title, "body": "BTC", "group": title, **changed})


def arrived(played):
    return [asked.path for asked in played.asked]


def later(**by):
    return NOW + timedelta(**by)


def test_a_notice_is_on_its_way_exactly_when_its_cause_is_written(
    channel, played, monkeypatch, django_capture_on_commit_callbacks
):
    channel("one"), channel("two")
    with transaction.atomic():
        enqueue(notice(), ["one"], now=NOW)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    woken = []
    monkeypatch.setattr(app, "send_task", lambda name, **_: woken.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        ids = enqueue(notice(), ["one", "two", "one"], now=NOW)
        assert woken == []
    assert woken == ["monitor.alerts_deliver"]
    assert sorted(ids) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert deliver_due(NOW) == 2
    assert deliver_due(NOW) == 0
    assert sorted(arrived(played)) == ["/one", "/two"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_broker_that_is_down_costs_no_notice(channel, played, monkeypatch, django_capture_on_commit_callbacks):
    def down(*_args, **_options):
        raise OperationalError("nobody listens")

    channel("one")
    monkeypatch.setattr(app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        enqueue(notice(), ["one"], now=NOW)
    # Beat's entry finds it, and so does whoever calls.
    assert "monitor.alerts_deliver" in {entry.task for entry in housekeeping() if entry.every_seconds <= 5}
    assert deliver_due(NOW) == 1
    assert arrived(played) == ["/one"]


def test_an_unknown_channel_is_refused_by_name_and_nothing_is_queued(channel):
    channel("one")
    with pytest.raises(InvalidValue, match=r"^channel is 'nobody'; allowed: one$"):
        enqueue(notice(), ["one", "nobody"], now=NOW)
    assert not Delivery.objects.exists()


def test_what_fails_is_tried_again_later_and_then_goes_to_the_fallbacks_which_say_why(channel, played):
    channel("chat", fallback=channel("mail", fallback=channel("pager")))
    [first] = enqueue(notice(), ["chat"], now=NOW)
    moment = NOW
    for attempt in (1, 2):
        played.will(500)
        assert deliver_due(moment) == 1
        row = Delivery.objects.get(pk=first)
        assert (row.state, row.attempts, row.last_error) == ("queued", attempt, "it answered 500")
        assert timedelta(seconds=2) < row.next_attempt_at - moment < timedelta(seconds=11)
        assert deliver_due(row.next_attempt_at - timedelta(seconds=1)) == 0
        moment = row.next_attempt_at
    played.will(500)
    played.will(404)
    assert deliver_due(moment) == 3
    assert arrived(played) == ["/chat"] * 3 + ["/mail", "/pager"]
    states = dict(Delivery.objects.values_list("channel__slug", "state"))
    assert states == {"chat": "gave_up", "mail": "failed", "pager": "delivered"}
    last = played.asked[-1].json["data"]
    assert (last["not_delivered_by"], last["title"]) == (["chat", "mail"], "Stream is old")
    assert Delivery.objects.get(channel__slug="pager").instead_of.instead_of_id == first
    assert Channel.objects.get(slug="chat").failures_in_row == 3


def test_a_channel_that_is_known_to_fail_gets_one_try_each(channel, played):
    chat = channel("chat", fallback=channel("mail"))
    Channel.objects.filter(pk=chat.pk).update(failures_in_row=3)
    enqueue(notice(), ["chat"], now=NOW)
    played.will(500)
    assert deliver_due(NOW) == 2
    assert arrived(played) == ["/chat", "/mail"]
    enqueue(notice(), ["chat"], now=NOW)
    assert deliver_due(NOW) == 1
    assert Channel.objects.get(slug="chat").failures_in_row == 0


def test_without_a_fallback_it_is_tried_for_long_and_its_end_is_logged(channel, played, caplog):
    channel("chat", per_minute=600)
    [pk] = enqueue(notice(), ["chat"], now=NOW)
    moment = NOW
    for _ in range(ATTEMPTS_ALONE):
        played.will(500)
        assert deliver_due(moment) == 1
        moment = Delivery.objects.get(pk=pk).next_attempt_at
    assert Delivery.objects.get(pk=pk).state == "gave_up"
    assert "nobody was told: Stream is old" in caplog.text
    assert moment - NOW > timedelta(minutes=15)


def test_a_server_that_asks_for_quiet_gets_it_and_others_do_not_wait(channel, played):
    channel("chat"), channel("mail")
    enqueue(notice(), ["chat"], now=NOW)
    played.will(429, Retry_After="40")
    deliver_due(NOW)
    enqueue(notice("warning"), ["chat", "mail"], now=later(seconds=1))
    deliver_due(later(seconds=39))
    assert arrived(played) == ["/chat", "/mail"]
    deliver_due(later(seconds=46))
    assert arrived(played) == ["/chat", "/mail", "/chat", "/chat"]


def test_what_is_urgent_does_not_sit_out_a_long_quiet(channel, played):
    channel("chat", fallback=channel("mail"))
    enqueue(notice(title="now"), ["chat"], now=NOW)
    played.will(429, Retry_After="900")
    deliver_due(NOW)
    assert arrived(played) == ["/chat", "/mail"]
    enqueue(notice(title="urgent"), ["chat"], now=NOW)
    enqueue(notice("info", title="not urgent"), ["chat"], now=NOW)
    assert deliver_due(NOW + PATIENCE - timedelta(seconds=1)) == 0
    deliver_due(NOW + PATIENCE)
    assert [asked.json["data"]["title"] for asked in played.asked] == ["now", "now", "urgent"]
    assert Delivery.objects.get(title="not urgent").state == "queued"


def test_what_belongs_together_arrives_in_order_and_holds_up_nothing_else(channel, played):
    channel("chat")
    enqueue(notice(title="begins", group="g"), ["chat"], now=NOW)
    played.will(500)
    deliver_due(NOW)
    enqueue(notice(kind="resolved", title="is over", group="g"), ["chat"], now=NOW)
    enqueue(notice(title="another"), ["chat"], now=NOW)
    deliver_due(later(seconds=1))
    deliver_due(later(seconds=10))
    titles = [asked.json["data"]["title"] for asked in played.asked]
    assert titles == ["begins", "another", "begins", "is over"]


def test_what_is_critical_does_not_wait_for_an_earlier_one_that_is_tried_again_later(channel, played):
    channel("chat")
    enqueue(notice(title="begins", group="g"), ["chat"], now=NOW)
    played.will(500)
    deliver_due(NOW)
    enqueue(notice(title="another of its group", group="g"), ["chat"], now=NOW)
    enqueue(notice("warning", title="less", group="g"), ["chat"], now=NOW)
    assert deliver_due(later(seconds=1)) == 1
    assert played.asked[-1].json["data"]["title"] == "another of its group"


def test_more_than_its_rate_waits_and_the_most_severe_goes_first(channel, played):
    channel("chat", per_minute=6)
    for severity in ("info", "warning", "critical", "info"):
        enqueue(notice(severity, title=severity), ["chat"], now=NOW)
    deliver_due(NOW)
    deliver_due(later(seconds=5))
    titles = [asked.json["data"]["title"] for asked in played.asked]
    assert titles == ["critical", "warning"]
    assert set(Delivery.objects.filter(state="queued").values_list("attempts", flat=True)) == {0}
    deliver_due(later(seconds=11))
    deliver_due(later(seconds=22))
    assert len(played.asked) == 4


def test_a_worker_that_dies_on_the_way_loses_nothing(channel, played, monkeypatch):
    channel("chat")
    [pk] = enqueue(notice(), ["chat"], now=NOW)
    sent = delivering.send

    def dies(row, letter):
        sent(row, letter)
        raise Killed

    monkeypatch.setattr(delivering, "send", dies)
    with pytest.raises(Killed):
        deliver_due(NOW)
    monkeypatch.setattr(delivering, "send", sent)
    assert deliver_due(NOW + LEASE - timedelta(seconds=1)) == 0
    assert deliver_due(NOW + LEASE + timedelta(seconds=1)) == 1
    # It had arrived; whoever gets it twice can tell by its key.
    first, second = (asked.headers["webhook-id"] for asked in played.asked)
    assert first == second == str(Delivery.objects.get(pk=pk).key)


def test_who_comes_late_does_not_overwrite_who_took_over(channel):
    channel("chat")
    enqueue(notice(), ["chat"], now=NOW)
    slow = claim_next(NOW)
    quick = claim_next(NOW + LEASE)
    assert settle(quick, "delivered", NOW)
    assert not settle(slow, "failed", NOW, "too late")
    assert Delivery.objects.get().state == "delivered"


def test_a_channel_that_hangs_keeps_no_more_than_two_workers_from_the_others(channel):
    channel("hangs")
    channel("works")
    for number in range(4):
        enqueue(notice(title=f"Stream {number}"), ["hangs"], now=NOW)
    enqueue(notice("info"), ["works"], now=later(seconds=1))
    at = later(seconds=2)
    assert [claim_next(at).channel.slug for _ in range(3)] == ["hangs", "hangs", "works"]
    assert claim_next(at) is None
    # Who has not come back by then has died.
    assert claim_next(at + LEASE).channel.slug == "hangs"


def test_a_channel_that_is_off_hands_on_what_was_meant_for_it(channel, played, caplog):
    channel("chat", fallback=channel("mail"), enabled=False)
    channel("alone", enabled=False)
    enqueue(notice(), ["chat", "alone"], now=NOW)
    deliver_due(NOW)
    assert arrived(played) == ["/mail"]
    assert played.asked[0].json["data"]["not_delivered_by"] == ["chat"]
    assert Delivery.objects.get(channel__slug="alone").last_error == "it is switched off"
    assert "nobody was told" in caplog.text


def test_a_circle_behind_our_back_ends(channel, played):
    one = channel("one")
    two = channel("two", fallback=one)
    Channel.objects.filter(pk=one.pk).update(fallback=two)
    for _ in range(2):
        played.will(404)
    enqueue(notice(), ["one"], now=NOW)
    deliver_due(NOW)
    assert arrived(played) == ["/one", "/two"]
    assert not Delivery.objects.exclude(state="failed").exists()


def test_a_bug_of_one_channel_costs_neither_the_notice_nor_the_others(channel, played, monkeypatch):
    channel("chat"), channel("mail")
    enqueue(notice(), ["chat", "mail"], now=NOW)
    Channel.objects.filter(slug="chat").update(kind="pigeon")
    deliver_due(NOW)
    assert arrived(played) == ["/mail"]
    assert Delivery.objects.get(channel__slug="chat").last_error


def test_what_another_version_wrote_and_nobody_can_read_ends_and_holds_up_nothing_else(channel, played, caplog):
    channel("one", channel("mail"))
    foreign, _ = enqueue(notice(), ["one"], now=NOW) + enqueue(notice(), ["one"], now=NOW)
    row = Delivery.objects.get(pk=foreign)
    Delivery.objects.filter(pk=foreign).update(notice=row.notice | {"mood": "sombre"})
    assert deliver_due(NOW) == 3
    assert arrived(played) == ["/one"]
    assert [one.state for one in Delivery.objects.order_by("pk")] == ["failed", "delivered", "failed"]
    assert "nobody was told" in caplog.text


def test_a_test_is_tried_once_at_once_and_by_nobody_else(channel, played):
    chat = channel("chat", fallback=channel("mail"), enabled=False)
    assert try_out(chat, actor="ann", now=NOW).delivered
    played.will(500)
    outcome = try_out(chat, actor="ann", now=NOW)
    assert (outcome.delivered, outcome.why) == (False, "it answered 500")
    assert deliver_due(later(hours=1)) == 0
    assert arrived(played) == ["/chat", "/chat"]
    assert played.asked[0].json["data"]["body"] == "Sent by ann."


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_deliver_each_notice_once(channel, played):
    channel("chat", per_minute=600), channel("mail", per_minute=600)
    for number in range(12):
        enqueue(notice(title=f"n{number}"), ["chat", "mail"], now=NOW)

    def work():
        try:
            deliver_due(NOW)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    deliver_due(NOW)
    counted = Counter((asked.path, asked.json["data"]["title"]) for asked in played.asked)
    assert len(counted) == 24
    assert set(counted.values()) == {1}
    assert set(Delivery.objects.values_list("state", "attempts")) == {("delivered", 1)}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"secret_variable": "SECRET_KEY"}, "secret_variable"),
        ({"secret_variable": "https://discord.com/api/webhooks/1/abc"}, "secret_variable"),
        ({"secret_variable": ""}, "secret_variable"),
        ({"options": {"url": "https://user:word@hooks.example/x"}}, "options"),
        ({"options": {"url": "file:///etc/passwd"}}, "options"),
        ({"options": {"url": "http://169.254.169.254/latest"}}, "options"),
        ({"options": {"url": "https://hooks.example:99999/"}}, "options"),
        ({"options": {"url": "https://hooks.example/x", "key": "secret"}}, "options"),
        ({"options": []}, "options"),
        ({"kind": "telegram", "options": {"chat": "everybody"}}, "options"),
        ({"kind": "email", "options": {"to": [], "sender": "a@b.example", "host": "mail"}}, "options"),
        ({"kind": "email", "options": {"to": ["a@b.example\nBcc: c@d.example"], "sender": "a@b.example", "host": "m"}},
         "options"),
        ({"per_minute": 0}, "per_minute"),
    ],
)  # fmt: skip
def test_what_a_channel_cannot_be_is_refused_by_name(changed, field):
    given = {
        "slug": "ops",
        "kind": "webhook",
        "secret_variable": "ALERTS_HOOK",
        "options": {"url": "https://h.example"},
    }
    with pytest.raises(ValidationError) as refusal:
        Channel(**(given | changed)).full_clean()
    assert field in refusal.value.message_dict
    if field == "options" and "word" in str(changed):
        assert "word" not in str(refusal.value.message_dict[field])


def test_fallbacks_in_a_circle_are_refused_with_the_way(channel):
    one = channel("one")
    three = channel("three", fallback=channel("two", fallback=one))
    one.fallback = three
    with pytest.raises(ValidationError, match="one → three → two → …"):
        one.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.filter(pk=one.pk).update(fallback=one)
    with pytest.raises(IntegrityError), transaction.atomic():
        Channel.objects.filter(pk=one.pk).update(secret_variable="hunter2")
