from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.exchanges.accounts.equity import account_books
from apps.exchanges.models import Transfer
from apps.monitor.analytics.exports import formats
from apps.monitor.analytics.exports.columns import Method, Wanted
from apps.monitor.analytics.exports.formats import inert, write_parquet
from apps.monitor.analytics.exports.tables import FILLS
from apps.monitor.analytics.exports.writing import EXPORTS, export_named, export_write
from apps.monitor.analytics.period import Period
from apps.monitor.api.amounts import plain
from apps.monitor.models import AuditEntry
from moondev.domain.errors import InvalidValue
from tests.support.analytics_world import START, Books, books, keep_points

pytestmark = pytest.mark.django_db
D = Decimal
DAY = timedelta(days=1)
ALL = Period(START - DAY, START + 30 * DAY)


@pytest.fixture
def book() -> Books:
    made = books()
    Transfer.objects.create(account=made.account, amount=1000, at=START, reference="=1+1")
    made.fill("turtle", "buy", "2", "100", fee="0.1", at=1, made=True, slippage="0.2")
    made.fill("@maker", "sell", "1", "105", fee="0.05", at=2)
    made.pay("-1", "1", at=3)
    made.fill("turtle", "sell", "3", "110", fee="0.15", at=4)
    made.hand("@maker", "turtle", at=5)
    made.order("turtle", "2", "2")
    keep_points("account", "paper-1", [(START + DAY, 1000, 1000, 1.0, 0)])
    return made


def read(kind, tmp_path, **wanted):
    """Return an export as Parquet told it, after having checked that CSV says the same."""
    export, asked = export_named(kind), Wanted(**{"period": ALL} | wanted)
    counts = [export_write(export, asked, ending, tmp_path / f"{kind}.{ending}") for ending in ("csv", "parquet")]
    table = pq.read_table(tmp_path / f"{kind}.parquet")
    with (tmp_path / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert counts == [len(table), len(table)] == [len(lines), len(lines)]
    assert list(lines[0]) == table.column_names if lines else True
    rows = table.to_pylist()
    for line, row in zip(lines, rows, strict=True):
        for name, value in row.items():
            assert line[name] == _text(value), (kind, name)
    return rows


def _text(value):
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return inert(value) if isinstance(value, str) else str(value)


def test_every_kind_says_the_same_in_both_formats_and_twice_the_same(book, tmp_path) -> None:
    for kind in EXPORTS:
        assert read(kind, tmp_path)
        before = [(tmp_path / f"{kind}.{ending}").read_bytes() for ending in ("csv", "parquet")]
        read(kind, tmp_path)
        assert [(tmp_path / f"{kind}.{ending}").read_bytes() for ending in ("csv", "parquet")] == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{kind}.{ending}" for kind in EXPORTS for ending in ("csv", "parquet")
    )


def test_parquet_has_exact_amounts_moments_in_utc_and_says_what_it_is(book, tmp_path) -> None:
    read("fills", tmp_path)
    schema = pq.read_schema(tmp_path / "fills.parquet")
    assert (schema.field("price").type, schema.field("at").type) == (pa.decimal128(38, 12), pa.timestamp("us", "UTC"))
    assert schema.metadata[b"moondev.schema"] == b"fills/1"
    assert schema.metadata[b"moondev.from"] == b"2026-03-01T00:00:00+00:00"
    read("tax_lots", tmp_path, method=Method.HIFO)
    assert pq.read_schema(tmp_path / "tax_lots.parquet").metadata[b"moondev.method"] == b"hifo"


def test_the_ledgers_amounts_add_up_to_the_cash_in_the_books(book, tmp_path) -> None:
    entries, found = read("ledger", tmp_path), account_books(book.account.pk)
    assert sum(entry["amount"] for entry in entries) == found.cash + found.cost
    assert [entry["entry"] for entry in entries] == [
        "transfer", "trade", "fee", "trade", "fee", "funding", "funding", "trade", "fee", "handed over", "taken over",
    ]  # fmt: skip


def test_realised_gains_of_lots_reconcile_with_the_ledger_by_every_method(book, tmp_path) -> None:
    books_say = account_books(book.account.pk)
    for method in Method:
        lines = read("tax_lots", tmp_path, method=method)
        gains = sum(line["gain"] for line in lines if line["line"] == "lot")
        basis = sum((line["cost_basis"] or 0) - (line["proceeds"] or 0) for line in lines if line["line"] == "open")
        assert gains - basis == books_say.realised - books_say.cost, method
        assert sum(line["fees"] for line in lines) == books_say.fees
        assert sum(line["gain"] for line in lines if line["line"] == "funding") == books_say.funding
    [lot] = [line for line in lines if line["line"] == "lot" and line["opened_by"] == "1" and line["closed_by"] == "2"]
    assert (lot["side"], lot["quantity"], lot["gain"], lot["gain_after_fees"]) == ("long", 1, 5, D("4.9"))


def test_lots_closed_before_the_period_are_not_told_and_those_opened_before_are(book, tmp_path) -> None:
    later = Period(START + timedelta(seconds=4), START + DAY)
    lines = [line for line in read("tax_lots", tmp_path, period=later) if line["line"] == "lot"]
    assert [(line["opened_by"], line["closed_by"]) for line in lines] == [("1", "3")]


def test_text_that_a_spreadsheet_would_run_is_inert(book, tmp_path) -> None:
    read("ledger", tmp_path)
    text = (tmp_path / "ledger.csv").read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert "'@maker" in text
    assert ",=1+1" not in text
    assert [inert(word) for word in ("-1", "a=1", "\tx", "")] == ["'-1", "a=1", "'\tx", ""]
    # Amounts below zero are numbers, not text.
    assert ",-0.1," in text


def test_a_file_is_there_whole_or_not_at_all(book, tmp_path) -> None:
    path = tmp_path / "fills.csv"
    path.write_text("what was there before")

    def breaks(_wanted):
        yield next(FILLS.rows(Wanted(ALL)))
        raise OSError("no space left")

    broken = type(FILLS)("fills", 1, "", FILLS.columns, breaks)
    with pytest.raises(OSError, match="no space left"):
        export_write(broken, Wanted(ALL), "csv", path)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("fills.csv", "what was there before")]


def test_more_rows_than_a_batch_are_written_a_batch_at_a_time(book, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(formats, "BATCH", 50)
    row = next(FILLS.rows(Wanted(ALL)))
    held = []

    def rows():
        for number in range(101):
            held.append(number)
            yield row

    assert write_parquet(FILLS, Wanted(ALL), rows(), tmp_path / "many.parquet") == 101
    assert pq.ParquetFile(tmp_path / "many.parquet").num_row_groups == 3


def test_refuses_what_is_not_there_and_what_the_export_does_not_take(book, tmp_path) -> None:
    for kind, wanted, ending, named in (
        ("fills", {"account": "nobody"}, "csv", "account is 'nobody'; allowed: paper-1"),
        ("tax_lots", {"strategy": "turtle"}, "csv", "strategy is 'turtle'"),
        ("fills", {}, "xlsx", "format is 'xlsx'; allowed: csv, parquet"),
    ):
        with pytest.raises(InvalidValue, match=named):
            export_write(export_named(kind), Wanted(ALL, **wanted), ending, tmp_path / "file")
    with pytest.raises(InvalidValue, match="kind is 'trades'"):
        export_named("trades")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_file_and_the_trail_says_so(book, tmp_path) -> None:
    out = io.StringIO()
    arguments = ["--from", "2026-03-01", "--to", "2026-04-01", "--out", str(tmp_path / "mine.csv")]
    call_command("export", "fills", *arguments, "--strategy", "turtle", stdout=out)
    assert out.getvalue().startswith("2 rows of fills/1 in")
    assert len((tmp_path / "mine.csv").read_text().splitlines()) == 3
    entry = AuditEntry.objects.get(action="export")
    assert (entry.subject, entry.after["rows"]) == ("fills", 2)
    for wrong, named in ((["--from", "soon"], "from is 'soon'"), (["--out", str(tmp_path / "no" / "x")], "no")):
        with pytest.raises(CommandError, match=named):
            call_command("export", "fills", *arguments, *wrong)
