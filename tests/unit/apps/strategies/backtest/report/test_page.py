"""The page of a run needs nothing else, says all of it, and lets no input become markup."""

import json
import re
from html.parser import HTMLParser

from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.report.page import report_page
from tests.unit.apps.strategies.backtest.runs import INSTRUMENT, record

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Balanced(HTMLParser):
    """Collects the tags that were opened and never closed, and all text."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data.strip())


def test_a_page_is_whole_and_asks_nothing_of_the_network():
    page = report_page(record())
    parsed = Balanced()
    parsed.feed(page)
    assert parsed.open == []
    assert not re.findall(r"""(?:src|href)\s*=|url\((?!#)|@import|fetch\(|https?://(?!www\.w3\.org/2000/svg)""", page)
    assert len(page) < 1_000_000
    drawn = json.loads(re.search(r'<script id="payload" type="application/json">(.*?)</script>', page)[1])
    assert drawn["prices"][0]["name"] == INSTRUMENT.key


def test_a_page_tells_figures_costs_data_and_how_they_are_computed():
    made = record()
    parsed = Balanced()
    parsed.feed(report_page(made))
    text = " ".join(filter(None, parsed.text))
    for words in (
        "Net result", "Max drawdown", "Where the money went", "Returns by month", "Honesty checks",
        "maker 2 bp, taker 5 bp (as asked)", "invented_1h: 3000 bars", "ab" * 32, "cd" * 32, "GAP: one bar",
        "a year has 365 days; standard deviations have ddof 1", "Trades by what tells them apart",
    ):  # fmt: skip
        assert words in text, words
    assert f"{made.metrics.trades:,}" in text


def test_what_people_name_things_is_never_markup():
    page = report_page(record(200, title="<script>alert(1)</script>"))
    assert "<script>alert" not in page
    assert "&lt;both&gt;" in page


def test_checks_are_shown_and_their_absence_is_said():
    checks = [
        Check(CheckCode.LOOK_AHEAD, True, {}, "nothing changed"),
        Check(CheckCode.RANDOM_ENTRIES, False, {"p_value": 0.41, "trades": None}, "chance does as well", ("in May",)),
    ]
    page = report_page(record(200), checks)
    for words in ("Random entries", '<span class="badge bad">failed</span>', "p value", "0.41", "in May"):
        assert words in page
    assert "None was run on this backtest" in report_page(record(200))


def test_a_run_that_never_traded_has_a_page():
    page = report_page(record(50, every=1_000_000))
    assert "trades are too few" in page or "never traded" in page
