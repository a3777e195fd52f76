"""docs/authoring.md, done word for word: its commands run, its changes fit, and what it promises is there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from apps.strategies.registry import preset, strategy_names
from moondev.settings.env import PROJECT_ROOT
from tests.support.own_strategies import fresh_catalogue, restarted

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
PAGE = PROJECT_ROOT / "docs" / "authoring.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch, settings):
    folder = tmp_path / "strategies"
    folder.mkdir()
    fresh_catalogue(monkeypatch, settings, folder)
    yield folder
    restarted()


def bars(path: Path) -> Path:
    """Write recorded bars as the data page has them."""
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.003, 600)))
    opens = np.concatenate((closes[:1], closes[:-1]))
    table = pd.DataFrame(
        {
            "timestamp": pd.date_range("2025-01-01", periods=600, freq="5min", tz="UTC"),
            "open": opens,
            "high": np.maximum(opens, closes) * 1.0005,
            "low": np.minimum(opens, closes) * 0.9995,
            "close": closes,
            "volume": 10.0,
        }
    )
    table.to_parquet(path)
    return path


def follow(folder, language, text, data):
    text = text.replace("~/strategies", str(folder)).replace("BARS", str(data))
    if language == "python":
        head, _, body = text.partition("\n")
        path, _, after = head.removeprefix("# ").partition(": after ")
        write(Path(path), body, after)
        return
    for line in text.splitlines():
        command = shlex.split(line)
        if command[:2] == ["python", "manage.py"]:
            call_command(*command[2:])
        else:
            environment = {"PATH": os.environ["PATH"]}
            subprocess.run([sys.executable, *command[1:]], check=True, cwd=folder, env=environment, timeout=60)


def write(path, body, after):
    if not after:
        path.write_text(body)
        return
    lines = path.read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.strip().startswith(after))
    path.write_text("".join([*lines[: place + 1], body, *lines[place + 1 :]]))


def test_the_page_can_be_followed(folder, tmp_path, capsys):
    data = bars(tmp_path / "binance-usdm_BTCUSDT_5m.parquet")
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 9
    for language, text in blocks:
        follow(folder, language, text, data)
    told = capsys.readouterr().out
    assert told.count("does not see ahead") == 4
    assert "pullback, canonical" in told
    assert re.search(r"^pullback +pullback\.py +[0-9a-f]{12} +canonical, slow +loaded$", told, re.MULTILINE)
    assert strategy_names()[-1] == "pullback"
    assert preset("pullback", "canonical").quiet_percent == 0.5
