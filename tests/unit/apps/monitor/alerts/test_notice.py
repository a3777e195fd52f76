"""A notice says what it is, keeps its text plain, and comes out of the outbox as it went in."""

import json

import pytest

from apps.monitor.alerts.notice import LARGEST_ATTACHMENTS, LONGEST_BODY, Attachment, Notice, notice_from
from moondev.domain.errors import InvalidValue
from moondev.logs.redaction import redaction

CSV = Attachment("a.csv", "text/csv", b"\0\xff")
SOUND = {"kind": "firing", "severity": "critical", "title": "Stream is old", "body": "BTC 40 s", "group": "stream:BTC"}


def test_it_comes_out_of_the_outbox_as_it_went_in():
    notice = Notice(**SOUND, url="https://desk.example/alerts/7", attachments=(CSV,))
    assert notice_from(json.loads(json.dumps(notice.as_json()))) == notice


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "cancelled"), ("severity", "fatal"), ("title", " \n\0"), ("url", "javascript:alert(1)"),
        ("url", "https://desk.example/" + "a" * 500),
        ("attachments", (Attachment("a.bin", "application/octet-stream", bytes(LARGEST_ATTACHMENTS + 1)),)),
    ],
)  # fmt: skip
def test_what_it_cannot_be_is_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=f"^{field} is "):
        Notice(**{**SOUND, field: value})


def test_a_long_text_is_cut_and_never_costs_the_alert():
    notice = Notice(**{**SOUND, "title": "t" * 999, "body": "b" * 99_999, "group": "g" * 999})
    assert (len(notice.title), len(notice.body), len(notice.group)) == (200, LONGEST_BODY, 200)
    assert notice.body.endswith("b…")


def test_text_keeps_nothing_that_cannot_be_printed():
    notice = Notice(**{**SOUND, "title": "two\nlines\u202e", "body": "a\0b\x1b[31m\r\nc\td\ud800"})
    assert (notice.title, notice.body) == ("two lines", "ab[31m\nc\td")


@pytest.mark.parametrize("name", ["../x", "", "a\n.csv", ".hidden", "a" * 101, 'a".csv'])
def test_an_attachments_name_is_a_name(name):
    with pytest.raises(InvalidValue, match=r"^attachment is "):
        Attachment(name, "text/csv", b"")


def test_no_secret_goes_to_others_not_even_half_of_one():
    redaction().learn("correct-horse-battery")
    try:
        leak = "401 from https://venue.example/order?apiKey=AKIAABCDEFGH&signature=5f3a9c0b1d"
        notice = Notice(
            **{**SOUND, "title": f"ticks fail: {leak}", "body": "x" * (LONGEST_BODY - 8) + " correct-horse-battery"}
        )
        told = json.dumps(notice.as_json())
        for secret in ("AKIAABCDEFGH", "5f3a9c0b1d", "correct"):
            assert secret not in told
        assert "401 from https://venue.example/order" in notice.title
        assert notice_from(notice.as_json()) == notice
    finally:
        redaction.cache_clear()
