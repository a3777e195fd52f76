"""A table tells each client what it lacks, however much it missed."""

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from apps.monitor.api.stream import table as tables
from apps.monitor.api.stream.table import Table

AT = datetime(2025, 7, 1, tzinfo=UTC)
rows = st.dictionaries(st.sampled_from("abcdef"), st.fixed_dictionaries({"n": st.integers(0, 3)}), max_size=6)


class Client:
    """What a page does with messages; refuses one that does not follow on what it has."""

    def __init__(self):
        self.seq, self.rows, self.snapshots = None, {}, 0

    def take(self, message):
        told = orjson.loads(message)
        if told["kind"] == "snapshot":
            self.rows, self.snapshots = told["rows"], self.snapshots + 1
        else:
            assert told["since"] == self.seq
            self.rows = {key: row for key, row in {**self.rows, **told["rows"]}.items() if key not in told["gone"]}
        self.seq = told["seq"]


@given(st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=30))
def test_a_client_that_looks_whenever_it_likes_has_the_rows_afterwards(steps):
    table, client = Table("t"), Client()
    for state, looks in steps:
        table.update(state, AT)
        if looks and client.seq != table.seq:
            client.take(table.message(client.seq))
            assert client.rows == state
    if client.seq != table.seq:
        client.take(table.message(client.seq))
    assert client.rows == steps[-1][0]


def test_nothing_is_told_when_nothing_changed():
    table = Table("t")
    assert table.update({"a": {"n": 1}}, AT)
    assert not table.update({"a": {"n": 1}}, AT)
    assert table.seq == 1


def test_an_empty_topic_is_told_once_as_empty():
    table = Table("t")
    assert table.update({}, AT)
    assert orjson.loads(table.message(None))["rows"] == {}
    assert not table.update({}, AT)


def test_clients_at_the_same_number_share_one_message():
    table = Table("t")
    table.update({"a": {"n": 1}}, AT)
    table.update({"a": {"n": 2}}, AT)
    assert table.message(1) is table.message(1)


def test_who_missed_more_than_is_remembered_is_sent_everything(monkeypatch):
    monkeypatch.setattr(tables, "GONE_KEPT", 3)
    table, client = Table("t"), Client()
    table.update({"a": {"n": 1}}, AT)
    client.take(table.message(None))
    for number in range(6):
        table.update({f"b{number}": {"n": number}}, AT)
    client.take(table.message(client.seq))
    assert client.snapshots == 2
    assert client.rows == {"b5": {"n": 5}}


def test_what_cannot_be_read_keeps_its_rows_and_says_so_until_it_can():
    table = Table("t")
    table.update({"a": {"n": 1}}, AT)
    assert table.fail("the broker does not answer", AT)
    assert not table.fail("the broker does not answer", AT)
    told = orjson.loads(table.message(None))
    assert (told["rows"], told["trouble"]) == ({"a": {"n": 1}}, "the broker does not answer")
    assert table.update({"a": {"n": 1}}, AT)
    assert orjson.loads(table.message(2))["trouble"] == ""
