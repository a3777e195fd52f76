from __future__ import annotations

import email
import email.policy
import io
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command

from apps.exchanges.models import Transfer
from apps.monitor.analytics.reports.days import finished, stretch_with
from apps.monitor.analytics.reports.picture import HEIGHT, WIDTH, equity_png
from apps.monitor.analytics.reports.services import (
    letters_again,
    letters_prepare,
    letters_send,
    report_write,
    reports_due,
)
from apps.monitor.models import Alert, AlertRule, LetterState, Report, ReportKind, ReportLetter, ReportRecipient
from apps.risk.models import RiskEvent
from apps.strategies.backtest.numbers import MINUS
from apps.strategies.models import StrategyRow
from moondev.domain.errors import InvalidValue
from moondev.servers.probes import free_port
from tests.support.analytics_world import START, Books, books, keep_points

D = Decimal
DAY = timedelta(days=1)
# START is a Monday; this is the Monday after.
NEXT = START + 7 * DAY + timedelta(hours=1)
MARKUP = "<script>alert(1)</script>"


class Letters:
    """Keeps what it is sent, or answers as it is told to."""

    def __init__(self) -> None:
        self.got, self.answer = [], "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  aiosmtpd's
        if address.startswith("refused"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802  aiosmtpd's
        if self.answer == "hang up":
            server.transport.close()
            return "250 OK"
        if self.answer.startswith("250"):
            self.got.append(
                (envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default))
            )
        return self.answer


@pytest.fixture
def letters(settings):
    """Let mail go to a server on this machine."""
    handler = Letters()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 5
    yield handler
    controller.stop()


@pytest.fixture
def book(settings) -> Books:
    settings.MOONDEV_REPORT_ZONE, settings.EMAIL_HOST = "UTC", ""
    made = books()
    Transfer.objects.create(account=made.account, amount=1000, at=START, reference="opening")
    for slug in ("turtle", "maker"):
        StrategyRow.objects.create(slug=slug, kind="turtle_trend", account=made.account, capital=1000)
    made.fill("turtle", "buy", "1", "100", fee="0.1", at=3_600, made=True, slippage="0.2")
    made.fill("turtle", "sell", "1", "120", fee="0.1", at=7_200)
    made.fill("maker", "sell", "1", "100", fee="0.1", at=3_600)
    made.fill("maker", "buy", "1", "110", fee="0.1", at=10_800)
    rows = [(START + n * DAY / 4, 1000 + n, 1000, 1 + n / 1000, 0) for n in range(29)]
    keep_points("total", "paper", rows)
    keep_points("strategy", "turtle", rows)
    RiskEvent.objects.create(
        kind="breach", scope_kind="strategy", scope_key="maker", actor="risk_guard", message=MARKUP,
        at=START + timedelta(hours=5),
    )  # fmt: skip
    return made


def test_days_begin_where_the_zone_says_and_last_as_long_as_they_do_there() -> None:
    spring = stretch_with(ReportKind.DAILY, date(2026, 3, 29), "Europe/Berlin").period
    assert spring.start.astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert spring.end.astimezone(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    week = stretch_with(ReportKind.WEEKLY, date(2026, 3, 29), "UTC")
    assert (week.first, week.last) == (date(2026, 3, 23), date(2026, 3, 29))
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert finished(ReportKind.DAILY, late, "UTC")[-1].first == date(2026, 3, 1)
    assert finished(ReportKind.DAILY, late, "Asia/Tokyo")[-1].first == date(2026, 3, 2)


def test_the_picture_is_a_png_of_its_size_and_nothing_without_a_line() -> None:
    picture = equity_png([1.0, None, 2.0, 1.5, 3.0])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (WIDTH, HEIGHT)
    start = picture.index(b"IDAT") + 4
    pixels = zlib.decompress(picture[start : picture.index(b"IEND") - 8])
    assert len(pixels) == HEIGHT * (1 + 3 * WIDTH)
    assert equity_png([5.0, 5.0])
    assert equity_png([None, 1.0, None]) == b""


@pytest.mark.django_db
def test_a_report_says_what_was_made_by_whom_at_what_cost_and_shows_markup_as_text(book: Books) -> None:
    report = report_write(stretch_with(ReportKind.DAILY, START.date(), "UTC"), NEXT)
    assert report.subject == "Daily report, Monday, 2 March 2026: +3.00 USDC"
    for words in ("turtle: +3.00 USDC", "+19.80 USDC: turtle, hyperliquid:BTC long", "held 1.0 h", "Fees: 0.40"):
        assert words in report.text, words
    assert f"{MINUS}10.20 USDC: maker, hyperliquid:BTC short, held 2.0 h" in report.text
    assert MARKUP in report.text
    assert MARKUP not in report.html
    assert "&lt;script&gt;alert(1)" in report.html
    assert "<script" not in report.html
    assert bytes(report.picture).startswith(b"\x89PNG")


@pytest.mark.django_db
def test_what_was_grave_is_listed_however_much_else_happened_and_what_is_left_out_is_counted(book: Books) -> None:
    rule = AlertRule.objects.create(slug="own", title="own", reading="disk_use", threshold=1)
    for number in range(20):
        at = START + timedelta(hours=6, minutes=number)
        RiskEvent.objects.create(kind="drift", scope_kind="everything", scope_key="*", actor="x", message="", at=at)
        Alert.objects.create(
            rule=rule, scope=f"disk:{number}", severity="critical" if number == 19 else "info", title=f"alert {number}",
            detail="401 for ?apiKey=AKIAABCDEFGH&x=1", threshold=1, since=at, fired_at=at, seen_at=at, state="resolved",
        )  # fmt: skip
    late = START + timedelta(hours=20)
    RiskEvent.objects.create(
        kind="veto", scope_kind="everything", scope_key="*", actor="ana", message="pulled the lever", at=late
    )
    report = report_write(stretch_with(ReportKind.DAILY, START.date(), "UTC"), NEXT)
    for told in (report.text, report.html):
        assert "pulled the lever" in told
        assert "alert 19" in told
        assert "alert 11" not in told
        assert "And 10 more: see the admin." in told
        assert "And 8 more: see Alerts in the admin." in told
        assert "AKIAABCDEFGH" not in told


@pytest.mark.django_db
def test_what_is_due_is_written_once_and_made_good_after_an_outage(book: Books) -> None:
    written = [(report.kind, report.first_day) for report in reports_due(NEXT)]
    days = [("daily", START.date() + n * DAY) for n in range(7)]
    assert written == [*days, ("weekly", START.date())]
    assert reports_due(NEXT) == []
    assert Report.objects.count() == 8
    # Nothing is sent while no server is set, and nobody is told later of what is long over.
    assert not ReportLetter.objects.exists()
    with pytest.raises(InvalidValue, match="a daily period that is over"):
        report_write(stretch_with(ReportKind.DAILY, NEXT.date(), "UTC"), NEXT)


@pytest.mark.django_db
def test_everybody_gets_what_he_asked_for_once_with_the_picture_inside(book: Books, letters: Letters) -> None:
    ReportRecipient.objects.create(address="daily@example.com", daily=True, weekly=False)
    ReportRecipient.objects.create(address="both@example.com", daily=True, weekly=True)
    ReportRecipient.objects.create(address="gone@example.com", daily=True, enabled=False)
    reports_due(NEXT)
    reports_due(NEXT + timedelta(minutes=10))
    # Of the daily ones those of the last three days.
    assert sorted((to[0], letter["Subject"][:6]) for to, letter in letters.got) == [
        *[("both@example.com", "Daily ")] * 3, ("both@example.com", "Weekly"), *[("daily@example.com", "Daily ")] * 3,
    ]  # fmt: skip
    letter = letters.got[0][1]
    assert letter.get_content_type() == "multipart/related"
    kinds = [part.get_content_type() for part in letter.walk()]
    assert kinds == ["multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png"]
    image = list(letter.walk())[-1]
    assert (image["Content-ID"], image.get_content_disposition()) == ("<equity>", "inline")
    assert "cid:equity" in letter.get_body(("html",)).get_content()
    assert {one.state for one in ReportLetter.objects.all()} == {LetterState.SENT}


@pytest.mark.django_db
def test_a_refused_letter_is_tried_again_and_one_of_unknown_fate_is_not(book: Books, letters: Letters) -> None:
    report = report_write(stretch_with(ReportKind.WEEKLY, START.date(), "UTC"), NEXT)
    for address in ("refused@example.com", "fine@example.com"):
        ReportRecipient.objects.create(address=address)
    letters.answer = "452 come back later"
    assert letters_send(NEXT) == 0
    found = {one.address: one for one in ReportLetter.objects.all()}
    assert "550" in found["refused@example.com"].error
    assert "452" in found["fine@example.com"].error
    assert {one.state for one in found.values()} == {LetterState.WAITING}
    letters.answer = "hang up"
    letters_send(NEXT)
    assert ReportLetter.objects.get(address="fine@example.com").state == LetterState.UNKNOWN
    letters.answer = "250 OK"
    assert letters_send(NEXT) == 0
    assert letters_again(report) == 1
    assert letters_send(NEXT) == 1
    assert [to for to, _ in letters.got] == [["fine@example.com"]]


@pytest.mark.django_db
def test_a_server_that_is_away_leaves_letters_waiting_and_one_whose_sender_died_is_unknown(
    book: Books, letters: Letters, settings
) -> None:
    report = report_write(stretch_with(ReportKind.WEEKLY, START.date(), "UTC"), NEXT)
    ReportRecipient.objects.create(address="fine@example.com")
    letters_prepare(report)
    ReportLetter.objects.update(state=LetterState.SENDING, tried_at=NEXT - timedelta(hours=1))
    assert letters_send(NEXT) == 0
    assert ReportLetter.objects.get().state == LetterState.UNKNOWN
    letters_again(report)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert letters_send(NEXT) == 0
    assert (ReportLetter.objects.get().state, ReportLetter.objects.get().attempts) == (LetterState.WAITING, 1)
    settings.EMAIL_PORT = port
    assert letters_send(NEXT) == 1


@pytest.mark.django_db
def test_the_command_writes_shows_and_sends_a_report(book: Books, letters: Letters) -> None:
    ReportRecipient.objects.create(address="me@example.com", daily=True)
    out = io.StringIO()
    call_command("report", "daily", "--date", "2026-03-02", "--send", stdout=out)
    assert "+3.00 USDC" in out.getvalue()
    assert "sent to me@example.com" in out.getvalue()
    call_command("report", "daily", "--date", "2026-03-02", "--send", stdout=out)
    assert len(letters.got) == 1
    for arguments, named in ((["--date", "soon"], "date is 'soon'"), (["--date", "2200-01-01"], "that is over")):
        with pytest.raises(CommandError, match=named):
            call_command("report", "weekly", *arguments)
