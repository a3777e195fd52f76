"""How notices reach people, against servers that speak the real APIs: taken, refused, told to wait, hung, cut off."""

import base64
import email
import hashlib
import hmac
import html
import logging
from datetime import timedelta
from email import policy
from email.utils import format_datetime

import pytest

from apps.monitor.alerts.channels import http
from apps.monitor.alerts.channels.letter import Letter
from apps.monitor.alerts.channels.refusals import NotTaken
from apps.monitor.alerts.channels.sending import send
from apps.monitor.alerts.notice import Attachment, Notice
from apps.monitor.models import Channel
from moondev.domain.clock import LiveClock
from tests.support.alert_servers import HANG, RESET, certificate, playing, taking_mail

pytestmark = pytest.mark.integration

TOKEN, HOOK, KEY = "123456:AAbbCCddEEffGGhhIIjjKK", "abcDEF-123_secret-part", "a-signing-key-of-enough-bytes"
EVIL = '<b>@everyone</b> [win](http://evil.example) /kill <@12> `x` &amp; "q" :tada:'
NOTICE = Notice(
    kind="firing", severity="critical", title=f"Stream {EVIL}", body=f"first\n{EVIL}", group="g",
    url="https://desk.example/alerts/7", attachments=(Attachment("week.csv", "text/csv", b"a,b\n1,2\n"),),
)  # fmt: skip
PLAIN = Notice(kind="resolved", severity="warning", title="Stream is fresh", body="", group="g")


@pytest.fixture(scope="module")
def world():
    with playing() as played:
        yield played


@pytest.fixture
def played(world, settings, monkeypatch):
    world.asked.clear()
    world.answers.clear()
    settings.ALERTS_DISCORD_URL, settings.ALERTS_TELEGRAM_URL = f"{world.url}/api/webhooks", world.url
    monkeypatch.setenv("ALERTS_DISCORD", f"{world.url}/api/webhooks/417/{HOOK}")
    monkeypatch.setenv("ALERTS_TELEGRAM", TOKEN)
    monkeypatch.setenv("ALERTS_WEBHOOK", KEY)
    return world


@pytest.fixture(scope="module")
def post():
    with taking_mail() as found:
        yield found


def channel(kind, played, **changed):
    options = {
        "discord": {"thread": "99"},
        "telegram": {"chat": "-1001", "topic": 4},
        "webhook": {"url": f"{played.url}/hook"},
    }
    given = {"slug": "ops", "kind": kind, "secret_variable": f"ALERTS_{kind.upper()}", "options": options[kind]}
    return Channel(**(given | changed))


def letter(notice=PLAIN, **changed):
    return Letter(notice, "5f0c", LiveClock().now(), **changed)


def test_discord_gets_an_embed_that_pings_nobody_and_marks_up_nothing(played):
    send(channel("discord", played), letter(NOTICE, failed=("mail",)))
    text, files = played.asked
    assert text.path == f"/api/webhooks/417/{HOOK}?wait=true&thread_id=99"
    [embed] = text.json["embeds"]
    assert text.json["allowed_mentions"] == {"parse": []}
    assert "content" not in text.json
    assert embed["url"] == NOTICE.url
    assert embed["title"].startswith(r"🔴 CRITICAL\: Stream \<b\>\@everyone\</b\> \[win\]\(http\://evil.example\)")
    assert r"\`x\`" in embed["description"]
    assert r"\:tada\:" in embed["description"]
    assert "Not delivered by mail; this channel stands in." in embed["description"].replace("\\", "")
    assert "UTC · 5f0c" in embed["description"]
    assert "evil" in embed["description"]
    assert b'filename="week.csv"' in files.body
    assert b"a,b\n1,2\n" in files.body
    # No picture that somebody else's server would be asked for.
    assert "avatar_url" not in text.json


def test_telegram_gets_what_others_wrote_as_code_in_which_nothing_is_a_link(played):
    send(channel("telegram", played), letter(NOTICE))
    text, files = played.asked
    assert text.path == f"/bot{TOKEN}/sendMessage"
    told = text.json
    assert (told["chat_id"], told["message_thread_id"], told["parse_mode"]) == (-1001, 4, "HTML")
    assert told["link_preview_options"] == {"is_disabled": True}
    inert = '&lt;b&gt;@everyone&lt;/b&gt; [win](http://evil.example) /kill &lt;@12&gt; `x` &amp;amp; "q" :tada:'
    assert told["text"].splitlines()[:4] == [
        "🔴 <b>CRITICAL</b>", f"<pre>Stream {inert}</pre>", "<pre>first", f"{inert}</pre>",
    ]  # fmt: skip
    assert f'<a href="{NOTICE.url}">Look at it</a>' in told["text"]
    assert told["text"].endswith("UTC · 5f0c")
    assert (files.path, b"a,b\n1,2\n" in files.body) == (f"/bot{TOKEN}/sendDocument", True)


@pytest.mark.parametrize(("kind", "most"), [("discord", 4096), ("telegram", 4096)])
def test_the_longest_notice_is_one_message_that_is_not_too_long(kind, most, played):
    for sign in ("x", "*", "\U0001f4c9", "&", "<"):
        played.asked.clear()
        longest = Notice(kind="firing", severity="critical", title=sign * 200, body=sign * 20_000, group="g")
        send(channel(kind, played), letter(longest, failed=tuple(f"channel-of-a-long-name-{n}" * 2 for n in range(5))))
        [asked] = played.asked
        told = asked.json["embeds"][0]["description"] if kind == "discord" else html.unescape(asked.json["text"])
        assert 2_000 < len(told.encode("utf-16-le")) / 2 <= most, sign
        assert told.rstrip().endswith(("5f0c", "5f0c</pre>")), sign


def test_nothing_is_sent_without_tls_outside_of_development(played, settings):
    settings.ALERTS_MAY_BE_PLAIN = False
    for kind in ("discord", "telegram"):
        with pytest.raises(NotTaken, match="without TLS") as refusal:
            send(channel(kind, played), letter())
        assert refusal.value.permanent
    assert played.asked == []


def test_a_webhook_can_check_who_wrote_what_it_got(played):
    send(channel("webhook", played), letter(NOTICE, failed=("chat",)))
    [asked] = played.asked
    headers = asked.headers
    signed = f"5f0c.{headers['webhook-timestamp']}.".encode() + asked.body
    digest = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert (headers["webhook-id"], headers["content-type"]) == ("5f0c", "application/json")
    assert abs(int(headers["webhook-timestamp"]) - LiveClock().now().timestamp()) < 60
    told = asked.json
    assert (told["type"], told["data"]["id"], told["data"]["not_delivered_by"]) == ("notice.firing", "5f0c", ["chat"])
    assert {name: told["data"][name] for name in ("title", "body", "severity", "group", "url")} == {
        "title": NOTICE.title, "body": NOTICE.body, "severity": "critical", "group": "g", "url": NOTICE.url,
    }  # fmt: skip
    assert base64.b64decode(told["data"]["attachments"][0]["content"]) == b"a,b\n1,2\n"


REFUSALS = [
    # answer, kinds it means that for, stands for good?, seconds to wait
    ((400, b'{"message": "no", "description": "no"}', {}), True, None),
    ((401, b"", {}), True, None),
    ((403, b"<html>", {}), True, None),
    ((404, b"{", {}), True, None),
    ((302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), True, None),
    ((429, b'{"retry_after": 1.5, "parameters": {"retry_after": 1.5}}', {}), False, 1.5),
    ((429, b"not json", {"Retry-After": "7"}), False, 7.0),
    ((429, b"[]", {"Retry-After": "-7"}), False, None),
    ((429, b"{}", {"Retry-After": "nan"}), False, None),
    ((429, b"{}", {"Retry-After": "soon"}), False, None),
    ((503, b"", {"Retry-After": "999999"}), False, 3600.0),
    ((500, b"x" * 100_000, {}), False, None),
    (RESET, False, None),
]


@pytest.mark.parametrize("kind", ["discord", "telegram", "webhook"])
def test_each_refusal_says_whether_to_come_again_and_when(kind, played):
    for answer, permanent, wait in REFUSALS:
        played.answers.append(answer)
        with pytest.raises(NotTaken) as refusal:
            send(channel(kind, played), letter())
        told = refusal.value
        # Webhooks say it in a header only.
        expected = None if kind == "webhook" and wait == 1.5 else wait
        assert (told.permanent, told.retry_after_seconds) == (permanent, expected), (answer, str(told))
        assert not any(secret in str(told) for secret in (TOKEN, HOOK, KEY))
    # Each was asked once, and nobody was asked elsewhere.
    assert len(played.asked) == len(REFUSALS)


@pytest.mark.parametrize("kind", ["discord", "telegram"])
def test_a_success_that_is_none_is_not_taken_for_one(kind, played):
    for body in (b"<html>log in to the hotel's network</html>", b"[]", b'{"ok": false}', b"", b"\xff"):
        played.will(200, body)
        with pytest.raises(NotTaken, match=r"not as (Discord|Telegram) does") as refusal:
            send(channel(kind, played), letter())
        assert not refusal.value.permanent


def test_a_server_that_hangs_is_left(played, monkeypatch):
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    played.answers.append(HANG)
    with pytest.raises(NotTaken, match="no answer in time") as refusal:
        send(channel("webhook", played), letter())
    assert not refusal.value.permanent


def test_a_date_to_come_back_at_is_understood():
    def wait(header):
        return http.Answer(429, {"Retry-After": header}, b"").asked_to_wait()

    assert 50 < wait(format_datetime(LiveClock().now() + timedelta(seconds=60), usegmt=True)) <= 60
    assert wait("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    assert wait("Thu, 01 Jan 1970 00:00:00") is None


@pytest.mark.parametrize(
    ("kind", "name", "secret", "words"),
    [
        ("discord", "ALERTS_DISCORD", "https://evil.example/api/webhooks/1/abc", "no address of a webhook"),
        ("telegram", "ALERTS_TELEGRAM", "../../x", "no token of a bot"),
        ("webhook", "ALERTS_WEBHOOK", "short", "5 bytes; at least 24"),
        ("webhook", "ALERTS_WEBHOOK", "whsec_???", "no base64"),
        ("webhook", "ALERTS_WEBHOOK", "", "ALERTS_WEBHOOK is not set"),
    ],
)
def test_a_secret_that_is_none_sends_nothing_and_is_not_told(kind, name, secret, words, played, monkeypatch):
    monkeypatch.setenv(name, secret)
    with pytest.raises(NotTaken, match=words) as refusal:
        send(channel(kind, played), letter())
    assert refusal.value.permanent
    assert played.asked == []
    assert not secret or len(secret) < 6 or secret not in str(refusal.value)


def test_an_address_that_is_no_longer_allowed_gets_nothing(played, settings):
    way = channel("webhook", played)
    settings.ALERTS_WEBHOOK_HOSTS = ["hooks.example"]
    with pytest.raises(NotTaken, match=r"a host of ALERTS_WEBHOOK_HOSTS: hooks\.example"):
        send(way, letter())
    settings.ALERTS_WEBHOOK_HOSTS, settings.ALERTS_MAY_BE_PLAIN = [], False
    with pytest.raises(NotTaken, match="begins with https://"):
        send(way, letter())
    assert played.asked == []


def test_no_log_line_holds_a_secret_however_much_is_logged(played, caplog, settings):
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "apprise"):
        caplog.set_level(settings.LOGGING["loggers"][name]["level"], logger=name)
    for kind in ("discord", "telegram", "webhook"):
        played.answers.append(RESET)
        with pytest.raises(NotTaken):
            send(channel(kind, played), letter())
        send(channel(kind, played), letter())
    assert len(played.asked) == 6
    assert not [secret for secret in (TOKEN, TOKEN.partition(":")[2], HOOK, KEY) if secret in caplog.text]


def mail_channel(port, **options):
    given = {
        "to": ["ops@example.com", "risk@example.com"], "sender": "desk@example.com", "host": "127.0.0.1", "port": port,
        "security": "none", "user": "desk",
    }  # fmt: skip
    return Channel(slug="mail", kind="email", secret_variable="ALERTS_MAIL", options=given | options)


@pytest.fixture
def mail(post, monkeypatch):
    server, port = post
    server.mails.clear()
    server.logins.clear()
    server.refusals.clear()
    monkeypatch.setenv("ALERTS_MAIL", "right-password")
    return server, port


def test_a_mail_is_one_message_of_plain_text_to_all(mail):
    server, port = mail
    assert send(mail_channel(port), letter(NOTICE, failed=("chat",))) == ""
    [taken] = server.mails
    assert sorted(taken.to) == ["ops@example.com", "risk@example.com"]
    message = email.message_from_bytes(taken.content, policy=policy.default)
    assert message["Subject"] == f"CRITICAL: {NOTICE.title}"
    assert (message["X-Notice-Id"], message["Auto-Submitted"]) == ("5f0c", "auto-generated")
    text, file = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert NOTICE.body in text.get_content().replace("\r\n", "\n")
    assert "Not delivered by chat" in text.get_content()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == ("week.csv", "text/csv", "a,b\n1,2\n")


@pytest.mark.parametrize(
    ("refusals", "permanent", "words"),
    [
        ({"DATA": "451 4.3.0 later"}, False, "it answered 451: 4.3.0 later"),
        ({"DATA": "554 5.7.1 spam"}, True, "it answered 554: 5.7.1 spam"),
        ({"ops@example.com": "550 nobody", "risk@example.com": "550 nobody"}, True, "refused every recipient"),
        ({"ops@example.com": "450 grey", "risk@example.com": "550 nobody"}, False, "refused every recipient"),
    ],
)
def test_a_mail_server_says_whether_to_come_again(refusals, permanent, words, mail):
    server, port = mail
    server.refusals.update(refusals)
    with pytest.raises(NotTaken, match=words) as refusal:
        send(mail_channel(port), letter())
    assert refusal.value.permanent == permanent
    assert server.mails == []


def test_who_did_not_get_a_mail_is_told_while_others_did(mail):
    server, port = mail
    server.refusals["risk@example.com"] = "550 nobody"
    assert send(mail_channel(port), letter()) == "refused for risk@example.com"
    assert [taken.to for taken in server.mails] == [["ops@example.com"]]


def test_a_wrong_password_is_told_without_it(mail, monkeypatch):
    server, port = mail
    monkeypatch.setenv("ALERTS_MAIL", "wrong-password")
    with pytest.raises(NotTaken, match="it answered 535") as refusal:
        send(mail_channel(port), letter())
    assert (refusal.value.permanent, "wrong-password" in str(refusal.value), server.mails) == (True, False, [])


def test_no_password_leaves_without_tls_where_tls_was_asked_for(mail):
    server, port = mail
    for security in ("starttls", "tls"):
        with pytest.raises(NotTaken, match=r"no connection \("):
            send(mail_channel(port, security=security), letter())
    assert (server.logins, server.mails) == ([], [])


def test_a_password_is_given_only_to_a_server_that_proves_who_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("ALERTS_MAIL", "right-password")
    proof = certificate(tmp_path)
    with taking_mail(proof) as (server, port):
        way = mail_channel(port, security="starttls")
        with pytest.raises(NotTaken, match="SSLCertVerificationError"):
            send(way, letter())
        assert (server.logins, server.mails) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(proof))
        send(way, letter())
        assert (server.logins, len(server.mails)) == (["right-password"], 1)
