"""docs/data.md says what the code does."""

import re
from pathlib import Path

from apps.exchanges.market_data.history.quality.findings import Code
from apps.exchanges.market_data.history.series import SCHEMAS, Kind

PAGE = (Path(__file__).resolve().parents[6] / "docs" / "data.md").read_text(encoding="utf-8")


def test_every_code_is_explained_and_no_other() -> None:
    assert re.findall(r"^\| `([A-Z_]+)` \|", PAGE.split("## How long")[0], re.MULTILINE) == [
        code.value for code in Code
    ]


def test_every_column_of_every_kind_is_named() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (`ts`.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == {kind.value for kind in Kind}
    for kind, schema in SCHEMAS.items():
        assert set(schema.names) <= set(re.findall(r"`(\w+)`", rows[kind.value]))
