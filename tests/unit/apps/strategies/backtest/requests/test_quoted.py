"""Recorded books by name: which market a file is of, what is guessed of its rules, and the record of a run."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.strategies.backtest.compare.comparison import compared
from apps.strategies.backtest.quoting.queues import Proportional, RiskAverse
from apps.strategies.backtest.report.page import report_page
from apps.strategies.backtest.requests.asking import request_for
from apps.strategies.backtest.requests.quoted import name_of_books, queue_named, quotes_record
from apps.strategies.backtest.requests.request import BacktestRequest, request_of_json
from apps.strategies.backtest.terminal import told
from moondev.domain.errors import InvalidValue
from tests.oracle.quoters import walked_events

FILE = "binance-usdm_BTCUSDT_made.parquet"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("books")
    events = walked_events(600)
    pq.write_table(
        pa.table({name if name != "size" else "qty": column for name, column in events.items()}), where / FILE
    )
    return where


@pytest.fixture
def no_platform(monkeypatch):
    monkeypatch.setattr("apps.strategies.backtest.requests.quoted.known_rules", lambda name: None)


def request(**terms):
    values = {"engine": "quotes", "shift_ms": 1_280.0, "assumed_bps": 0.9, **terms}
    made = request_for("market_maker", data=[FILE])
    return BacktestRequest(**{**made.to_json(), "data": (FILE,), "funding": (), **values})


@pytest.fixture(autouse=True)
def no_rows(monkeypatch):
    monkeypatch.setattr("apps.strategies.backtest.requests.asking._row_called", lambda slug: None)


def test_a_name_tells_venue_and_symbol_however_many_words_the_venue_has():
    for text, parts in {
        "l2/binance_usdm_BTCUSDT_20240808.parquet": ("binance-usdm", "BTCUSDT", "BTC", "USDT"),
        "huobi-spot_LINKUSDT_book10_1s_20210820.parquet": ("huobi-spot", "LINKUSDT", "LINK", "USDT"),
    }.items():
        name = name_of_books(text)
        assert (name.venue, name.symbol, name.asset, name.quote) == parts
    with pytest.raises(InvalidValue, match="a name such as"):
        name_of_books("recording.parquet")


def test_a_request_for_quotes_leaves_a_record_with_its_figures_and_doubts(folder, no_platform):
    record = quotes_record(request(), folder)
    assert (record.facts.engine, record.facts.rule) == ("quotes", "recorded prices")
    assert record.facts.figures["ticks"] > 5
    assert record.facts.data["binance-usdm:BTCUSDT"].rules.startswith("tick 0.1, lot 0.001")
    assert record.facts.costs["binance-usdm:BTCUSDT"].maker_bps == 2.0
    assert any("made up" in warning for warning in record.facts.warnings)
    assert len(record.prices["binance-usdm:BTCUSDT"]) > 5
    # What only this engine tells is shown, and does not keep the run from being held against another's.
    assert "Fills per order placed" in report_page(record)
    assert "orders fill at the recorded prices" in told(record)
    assert compared({"one": record, "other": replace(record, facts=replace(record.facts, figures={}))}).figures


def test_what_was_asked_for_travels_as_plain_values():
    asked = request(queue="proportional", latency_ms=20.0)
    assert request_of_json(asked.to_json()) == asked


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"shift_ms": 0.0}, "heard before it happened"),
        ({"start": datetime(2023, 11, 15, tzinfo=UTC)}, "a book is replayed from its snapshot"),
    ],
)
def test_what_cannot_be_run_is_said_before_any_number(folder, no_platform, terms, words):
    with pytest.raises(InvalidValue, match=words):
        quotes_record(request(**terms), folder)


@pytest.mark.parametrize("terms", [{"queue": "lucky"}, {"latency_ms": -1.0}, {"shift_ms": float("nan")}])
def test_terms_that_make_no_sense_are_refused(terms):
    with pytest.raises(InvalidValue):
        request(**terms)


def test_queues_are_named():
    assert queue_named("risk-averse") == RiskAverse()
    assert queue_named("proportional") == Proportional()
