"""Commands by Telegram, against a server that speaks its Bot API: who is heard, what is done, and what is not."""

import re
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from apps.exchanges.models import TradingState, Veto
from apps.monitor.access.rates import api_rates
from apps.monitor.access.roles import RISK_MANAGER, TRADER, VIEWER, roles_write
from apps.monitor.alerts.telegram import listening
from apps.monitor.alerts.telegram.listening import Listener
from apps.monitor.alerts.telegram.offsets import next_update, take_update
from apps.monitor.models import Alert, AlertRule, AuditEntry, TelegramCode, TelegramOffset, TelegramUser
from apps.strategies.models import StrategyRow
from moondev.domain.clock import LiveClock
from moondev.domain.errors import InvalidValue
from tests.integration.api_world import person, small_world
from tests.support.alert_servers import playing

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
# The trail of what changed is written at the commit.
commits = pytest.mark.django_db(transaction=True)

TOKEN = "123456:AAbbCCddEEffGGhhIIjjKK"
GROUP = -100500


@pytest.fixture(scope="module")
def played():
    with playing() as server:
        yield server


class Phone:
    """One person's phone: what is written on it, and what comes back."""

    def __init__(self, played, listener, telegram_id):
        self._played, self._listener, self.id = played, listener, telegram_id
        self.chat = {"id": telegram_id, "type": "private"}

    def update(self, text, age=0.0, **changed):
        """Return an update with a message of this person."""
        number = Phone.numbers = getattr(Phone, "numbers", 1_000) + 1
        message = {
            "message_id": 1, "date": int(LiveClock().now().timestamp() - age), "chat": self.chat,
            "from": {"id": self.id, "is_bot": False, "first_name": "<b>Ann</b>"}, "text": text,
        }  # fmt: skip
        return {"update_id": number, "message": message | changed}

    def say(self, text, **changed):
        """Write something; return the answer as a person reads it, or None without one."""
        return self.deliver(self.update(text, **changed))

    def deliver(self, *updates):
        """Have Telegram hand over updates; return the last answer."""
        self._played.asked.clear()
        self._played.updates.append(list(updates))
        self._listener.listen_once(0)
        answers = [asked.json for asked in self._played.asked if asked.path.endswith("/sendMessage")]
        if not answers:
            return None
        assert answers[-1]["chat_id"] == self.chat["id"]
        return re.fullmatch(r"<pre>(.*)</pre>", answers[-1]["text"], re.DOTALL)[1]


@pytest.fixture
def listener(played, settings):
    settings.ALERTS_TELEGRAM_URL = played.url
    played.answers.clear()
    played.updates.clear()
    api_rates.cache_clear()
    # What earlier tests asked counts in Redis.
    for counted in (api_rates()._shared.storage, api_rates()._own.storage):
        counted.reset()
    return Listener(TOKEN)


@pytest.fixture
def phones(played, listener):
    roles_write()
    small = small_world()

    def phone(role, number):
        TelegramUser.objects.create(telegram_id=number, user=person(role))
        return Phone(played, listener, number)

    small.phone = phone
    small.stranger = Phone(played, listener, 666)
    return small


def halted():
    return sorted(TradingState.objects.exclude(mode="active").values_list("scope_kind", "scope_key"))


def paused():
    return StrategyRow.objects.get(slug="turtle").paused_reason


@commits
def test_each_role_may_do_what_it_may_elsewhere_and_it_stands_in_the_trail(phones):
    viewer, trader = phones.phone(VIEWER, 11), phones.phone(TRADER, 12)
    assert viewer.say("/help") == "status\npositions\npnl\nhelp"
    assert "strategies: 1 enabled" in viewer.say("status")
    assert "BTC at" in viewer.say("/positions")
    assert viewer.say("pnl").startswith("paper")
    for text in ("pause turtle", "resume turtle", "kill everything", "confirm 123456"):
        assert viewer.say(text) == f"not done: your role may not {text.partition(' ')[0]}"
    assert (paused(), Veto.objects.count(), TelegramCode.objects.count()) == ("", 0, 0)

    assert trader.say("/pause turtle looks &lt;odd") == "turtle is paused; its orders are being cancelled"
    assert paused() == "looks &lt;odd"
    changed = AuditEntry.objects.get(action="strategy changed", after__paused_reason=paused())
    assert (changed.actor, changed.address) == ("trader", "telegram")
    noted = AuditEntry.objects.get(action="telegram pause", actor="trader")
    assert (noted.subject, noted.address, noted.after["telegram"]) == ("turtle looks &lt;odd", "telegram", 12)
    assert "turtle is paused: looks &amp;lt;odd" in trader.say("status")
    assert trader.say("RESUME turtle") == "turtle goes on"
    assert paused() == ""


@commits
def test_a_halt_needs_the_code_that_the_same_person_was_given_for_it(phones):
    trader, manager = phones.phone(TRADER, 12), phones.phone(RISK_MANAGER, 13)
    asked = trader.say("/kill strategy:turtle enough of it")
    code = re.fullmatch(r"strategy:turtle: confirm (\d{6}) within 60 seconds to halt it", asked)[1]
    assert (halted(), Veto.objects.count()) == ([], 0)
    # Of somebody else it is worth nothing, nor elsewhere.
    assert "code is" in manager.say(f"confirm {code}")
    trader.chat = {"id": GROUP, "type": "supergroup"}
    assert trader.say(f"/confirm {code}") is None
    trader.chat = {"id": 12, "type": "private"}
    assert halted() == []
    assert trader.say(f"confirm {code}").startswith("strategy:turtle is halted; ")
    assert halted() == [("strategy", "turtle")]
    state = TradingState.objects.get(scope_kind="strategy", scope_key="turtle")
    assert (state.actor, state.reason, Veto.objects.get().flatten) == ("trader", "enough of it", False)
    [entry] = AuditEntry.objects.filter(action__startswith="trading state", after__reason="enough of it")
    assert (entry.actor, entry.address) == ("trader", "telegram")
    # Used up.
    assert "not used yet" in trader.say(f"confirm {code}")
    assert Veto.objects.count() == 1
    # No code stands anywhere.
    assert not [entry for entry in AuditEntry.objects.all() if code in f"{entry.subject}{entry.after}{entry.reason}"]


def test_a_code_is_worth_nothing_when_it_is_late_guessed_or_followed_by_another(phones):
    trader = phones.phone(TRADER, 12)

    def code(scope="everything"):
        return re.search(r"confirm (\d{6}) ", trader.say(f"kill {scope}"))[1]

    late = code()
    TelegramCode.objects.update(expires_at=LiveClock().now())
    assert "younger than 60 seconds" in trader.say(f"confirm {late}")
    right = code()
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    assert "2 more tries" in trader.say(f"confirm {wrong}")
    assert "1 more try" in trader.say("confirm ١٢٣٤٥٦")
    assert "last try" in trader.say("confirm")[:0] + trader.say(f"confirm {wrong}")
    assert "not used yet" in trader.say(f"confirm {right}")
    first, second = code("strategy:turtle"), code("venue:hyperliquid")
    if first != second:
        assert "2 more tries" in trader.say(f"confirm {first}")
    assert (halted(), Veto.objects.count()) == ([], 0)


def test_an_alert_is_taken_in_hand_by_its_number(phones):
    rule = AlertRule.objects.create(slug="age", title="Stream is old", reading="venue.book_age", threshold=5)
    now = LiveClock().now()
    alert = Alert.objects.create(
        rule=rule, scope="venue:hyperliquid", severity="critical", title="Stream <i>is</i> old", since=now,
        fired_at=now, seen_at=now, state="firing", threshold=5,
    )  # fmt: skip
    trader = phones.phone(TRADER, 12)
    assert f"{alert.pk} critical: Stream &lt;i&gt;is&lt;/i&gt; old (venue:hyperliquid), firing" in trader.say("status")
    for said in ("ack", "ack x", "ack -1", "ack 9" + "9" * 30, f"ack {alert.pk + 1}"):
        assert trader.say(said).startswith("not done: alert is")
    assert phones.phone(VIEWER, 11).say(f"ack {alert.pk}") == "not done: your role may not ack"
    alert.refresh_from_db()
    assert alert.state == "firing"
    assert trader.say(f"ack {alert.pk} restarting it") == "acknowledged: Stream &lt;i&gt;is&lt;/i&gt; old"
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.acknowledge_reason) == ("acknowledged", "trader", "restarting it")


def test_closing_the_positions_is_asked_for_by_name(phones):
    trader = phones.phone(TRADER, 12)
    asked = trader.say("kill strategy:turtle flatten now")
    assert "to halt it and close its positions" in asked
    trader.say(f"confirm {re.search(r'[0-9]{6}', asked)[0]}")
    assert (Veto.objects.get().flatten, TradingState.objects.get(scope_key="turtle").reason) == (True, "now")


def test_what_cannot_be_done_is_answered_with_why_and_nothing_is_changed(phones):
    trader = phones.phone(TRADER, 12)
    for said, words in (
        ("kill", "scope is &#x27;&#x27;"), ("kill everybody", "everything, portfolio:"), ("pause", "strategy is"),
        ("pause nobody", "strategy is &#x27;nobody&#x27;"), ("confirm", "code is"), ("fly", "no such command"),
        ("/start", "no such command"), ("<b>hi</b>", "what is that?"), ("", "what is that?"),
        ("pause " + "x" * 10_000, "strategy is"), ("pause \0", "strategy is &#x27;&#x27;"),
    ):  # fmt: skip
        assert words in trader.say(said), said
    nobody = re.search(r"\d{6}", trader.say("kill strategy:nobody"))[0]
    assert "not done: " in trader.say(f"confirm {nobody}")
    assert (halted(), paused(), Veto.objects.count()) == ([], "", 0)


def test_nobody_else_gets_an_answer_and_few_of_their_tries_are_written_down(phones, caplog):
    trader, stranger = phones.phone(TRADER, 12), phones.stranger
    assert [stranger.say(f"pause turtle {n}") for n in range(5)] == [None] * 5
    refused = AuditEntry.objects.filter(action="telegram refused", subject="telegram:666")
    assert (refused.count(), caplog.text.count("Telegram 666 was not heard")) == (2, 2)
    # In another's name, through another bot, passed on, as a bot.
    for borrowed in (
        {"sender_chat": {"id": 5}}, {"via_bot": {"id": 5}}, {"forward_origin": {"type": "user"}},
        {"from": {"id": 12, "is_bot": True}}, {"from": None},
    ):  # fmt: skip
        assert trader.say("pause turtle", **borrowed) is None
    # In a group that was not allowed.
    assert trader.say("/pause turtle", chat={"id": GROUP, "type": "supergroup"}) is None
    # No longer.
    TelegramUser.objects.update(enabled=False)
    assert trader.say("pause turtle") is None
    TelegramUser.objects.update(enabled=True)
    for flag in ("is_active", "is_staff"):
        User.objects.filter(username="trader").update(**{flag: False})
        assert trader.say("pause turtle") is None
        User.objects.filter(username="trader").update(**{flag: True})
    Group.objects.get(name=TRADER).user_set.clear()
    assert trader.say("pause turtle") == "not done: your role may not pause"
    assert paused() == ""


def test_in_an_allowed_group_only_commands_are_heard(phones, settings):
    trader = phones.phone(TRADER, 12)
    settings.TELEGRAM_CHATS = [GROUP]
    trader.chat = {"id": GROUP, "type": "supergroup"}
    assert trader.say("pause turtle please") is None
    assert paused() == ""
    assert "turtle is paused" in trader.say("/pause@our_bot turtle please")
    assert paused() == "please"


def test_whoever_asks_too_often_has_to_wait(phones, monkeypatch):
    trader = phones.phone(TRADER, 12)
    monkeypatch.setattr("apps.monitor.alerts.telegram.people.RATE_OF_COMMANDS", "3/hour")
    assert [trader.say("help") is None for _ in range(5)] == [False] * 3 + [True] * 2


def test_each_update_is_handled_once_also_by_another_process_and_after_a_restart(phones, played):
    trader = phones.phone(TRADER, 12)
    pause = trader.update("pause turtle")
    assert "is paused" in trader.deliver(pause)
    StrategyRow.objects.update(paused_reason="")
    assert trader.deliver(pause) is None
    trader._listener = Listener(TOKEN)
    assert trader.deliver(pause) is None
    assert paused() == ""
    assert played.asked[0].json["offset"] == pause["update_id"] + 1
    assert AuditEntry.objects.filter(action="telegram pause").count() == 1


def test_what_has_lain_is_not_done_any_more(phones):
    trader = phones.phone(TRADER, 12)
    assert trader.say("pause turtle", age=130) == "not done: this is older than 120 seconds; say it again"
    assert paused() == ""


def test_updates_that_make_no_sense_are_passed_and_keep_nobody_from_being_heard(phones):
    trader = phones.phone(TRADER, 12)
    odd = [
        "no object", {"update_id": "7"}, {"update_id": True}, {"update_id": 1001 * 10**20}, {},
        {"update_id": 5_000, "message": 5}, {"update_id": 5_001, "edited_message": {}},
        {"update_id": 5_002, "message": {"date": "soon", "chat": {}}},
    ]  # fmt: skip
    assert "strategies:" in trader.deliver(*odd, trader.update("status") | {"update_id": 5_003})
    assert TelegramOffset.objects.get().next_update == 5_004


def test_a_bug_in_a_command_is_said_and_the_next_one_is_heard(phones, monkeypatch, caplog):
    trader = phones.phone(TRADER, 12)
    monkeypatch.setattr(listening, "answer_to", lambda *_: 1 / 0)
    assert trader.say("status").startswith("that failed")
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()


def test_after_a_week_without_updates_lower_numbers_count_again(db):
    now = LiveClock().now()
    assert take_update("7", 900, now)
    assert not take_update("7", 900, now + timedelta(days=5))
    assert (next_update("7", now), next_update("7", now + timedelta(days=7))) == (901, 0)
    assert take_update("7", 40, now + timedelta(days=7))
    assert next_update("7", now + timedelta(days=7)) == 41


def test_an_answer_that_does_not_arrive_costs_nothing_that_was_done(phones, played):
    trader = phones.phone(TRADER, 12)
    pause = trader.update("pause turtle")
    played.will(200, {"ok": True, "result": [pause]})
    played.will(500)
    trader.deliver()
    assert paused() == "by Telegram"


def test_whatever_telegram_says_it_is_asked_again_after_a_while(listener, played, caplog):
    played.will(409, {"ok": False, "description": "Conflict: terminated by other getUpdates request"})
    played.will(429, {"ok": False, "parameters": {"retry_after": 3}})
    played.will(401, {"ok": False, "description": f"Unauthorized {TOKEN}"})
    played.will(200, b"<html>")
    played.answers.append("reset")
    waits = []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            if len(waits) == 6:
                self.set()
            return self.is_set()

    listener.run(Stop(), lambda: None)
    assert waits == [60.0, 3.0, 60.0, 8.0, 16.0, 0.0]
    assert "terminated by other getUpdates" in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text


def test_without_a_token_nobody_is_listened_to(settings):
    with pytest.raises(CommandError, match="TELEGRAM_COMMANDS_TOKEN is not set"):
        call_command("telegram")
    settings.TELEGRAM_COMMANDS_TOKEN = "a secret of another kind"
    with pytest.raises(CommandError, match="as BotFather gives it") as refusal:
        call_command("telegram")
    assert "another kind" not in str(refusal.value)
    with pytest.raises(InvalidValue):
        Listener("../x")
