"""The README of the mock: what it tells a stranger to copy is run here, against a mock started as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.exchanges.mock.__main__ import parser
from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.mock.venues import VENUES

pytestmark = pytest.mark.contract

README = (Path(__file__).resolve().parents[2] / "apps/exchanges/mock/README.md").read_text()
# Of which venue a snippet is, and the asset it buys when it buys at the spot market alone.
SNIPPETS = re.findall(r"<!-- runs: (\w+) ?(\w*) -->\n```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "apps.exchanges.mock", "--demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert "mock exchange ready" in ready
            yield ready.split("control at ")[1].strip().removesuffix("/admin")
        finally:
            process.terminate()


def state(url: str, venue: str) -> dict[str, Any]:
    return dict(requests.get(f"{url}/admin/state", json={"venue": venue}, timeout=5).json())


def test_there_is_a_snippet_for_every_venue() -> None:
    assert {venue for venue, _, _ in SNIPPETS} == set(VENUES)


@pytest.mark.parametrize(("venue", "asset", "code"), SNIPPETS, ids=[f"{venue}{asset}" for venue, asset, _ in SNIPPETS])
def test_what_the_readme_says_buys_bitcoin(
    url: str, venue: str, asset: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, fills = held(url, venue), state(url, venue)["totals"]["fills"]
    here = code.replace("127.0.0.1:8001", url.removeprefix("http://"))
    exec(compile(here, f"README: {venue}", "exec"), {})
    assert held(url, venue) == pytest.approx(before + (0 if asset else 0.01))
    assert state(url, venue)["totals"]["fills"] > fills
    [account] = state(url, venue)["accounts"].values()
    assert not asset or 0.0099 < float(account["spot"][asset]) <= 0.01
    assert capsys.readouterr().out


def held(url: str, venue: str) -> float:
    [account] = state(url, venue)["accounts"].values()
    return float(account["positions"].get("BTC", 0))


def test_names_every_option_and_every_fault_there_is() -> None:
    options = [option for action in parser()._actions for option in action.option_strings if option.startswith("--")]
    assert [option for option in options if option not in README and option not in {"--help", "--log-level"}] == []
    assert [kind for kind in FaultKind if f"`{kind}`" not in README] == []
    for path in re.findall(r"`(?:GET|POST) (/admin/\w+)", README):
        assert path.removeprefix("/admin/") in {
            "health",
            "accounts",
            "feed",
            "mark",
            "quote",
            "trade",
            "state",
            "faults",
        }
