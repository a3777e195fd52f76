from __future__ import annotations

from pathlib import Path

import pytest

from apps.risk.checks import CHECKS
from apps.risk.refusal_table import OF_THE_REVIEW, refusal_table, with_table
from moondev.domain.decisions import RefusalCode

PAGE = Path(__file__).parents[4] / "docs" / "risk.md"


@pytest.mark.parametrize("code", RefusalCode)
def test_every_code_is_explained(code) -> None:
    explained = {code for check in CHECKS for code in check.codes} | set(OF_THE_REVIEW)
    assert code in explained
    assert f"| `{code}` |" in refusal_table()


def test_the_page_holds_the_table_as_the_checks_say_it_now() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page) == page, "run `python manage.py refusal_codes --write`"
