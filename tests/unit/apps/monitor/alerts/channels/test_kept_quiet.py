"""Secrets stay secret and text stays text, whatever they are."""

import re

from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.alerts.channels.discord import inert
from apps.monitor.alerts.channels.letter import clipped
from apps.monitor.alerts.channels.refusals import LONGEST_REASON, SHORTEST_SECRET, redacted
from apps.monitor.alerts.notice import Notice, notice_from, printable

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST_SECRET, max_size=60)


@given(SECRETS, st.text(), st.text())
def test_no_reason_holds_a_secret_or_any_part_of_an_address(secret, before, after):
    told = redacted(f"{before}{secret}{after}", secret)
    assert secret not in told
    assert len(told) <= LONGEST_REASON
    assert told.isprintable()


def test_a_token_within_an_address_is_hidden_where_it_stands_alone():
    secret = "https://discord.com/api/webhooks/417/abcDEF-1"
    assert redacted("Not found: abcDEF-1 at discord.com", secret) == "Not found: ••• at •••"


@given(st.text())
def test_discord_gets_no_sign_of_markup_that_is_not_escaped(text):
    shown = inert(text)
    assert re.sub(r"\\(?=[\\`*_~|<>\[\]()#@:\-+])(.)", r"\1", shown) == text
    assert not re.search(r"[`*_~|<>\[\]()#@:\-+]", re.sub(r"\\.", "", shown, flags=re.DOTALL))


@given(st.text(max_size=300), st.integers(1, 200))
def test_a_clipped_text_fits_and_can_be_written(text, longest):
    shown = clipped(printable(text, 300), longest)
    assert len(shown.encode("utf-16-le")) <= 2 * longest


@given(st.text(st.characters(exclude_categories=[]), min_size=1))
def test_any_text_at_all_can_be_told_and_kept(text):
    notice = Notice(kind="firing", severity="info", title=f"t{text}", body=text, group=text)
    assert notice_from(notice.as_json()) == notice
    assert "\0" not in notice.title + notice.body + notice.group
    notice.body.encode()
