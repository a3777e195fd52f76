from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.market_data.history.coverage import Spans, read_spans, write_spans
from moondev.domain.errors import InvalidValue

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def moments(found: list[tuple[int, int]]) -> set[int]:
    return {moment for first, last in found for moment in range(first, last)}


@given(spans, st.integers(0, 70), st.integers(0, 30))
def test_covered_and_missing_are_each_others_complement(asked, start, length):
    covered = Spans()
    for first, last in asked:
        covered = covered.with_span(first, last)
    assert moments(list(covered.spans)) == moments(asked)
    assert all(left[1] < right[0] for left, right in zip(covered.spans, covered.spans[1:], strict=False))
    missing = list(covered.missing(start, start + length))
    assert moments(missing) == set(range(start, start + length)) - moments(asked)
    assert moments(list(covered.after(start).spans)) == {moment for moment in moments(asked) if moment >= start}


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidValue, match="5 to 4"):
        Spans().with_span(5, 4)


def test_spans_survive_a_file_and_nonsense_is_named(tmp_path: Path):
    path = tmp_path / "covered.json"
    assert read_spans(path) == Spans()
    write_spans(path, Spans(((1, 5), (7, 9))))
    assert read_spans(path) == Spans(((1, 5), (7, 9)))
    assert [file.name for file in tmp_path.iterdir()] == ["covered.json"]
    path.write_text('[["a", 2]]')
    with pytest.raises(InvalidValue, match="delete it to ask anew"):
        read_spans(path)
