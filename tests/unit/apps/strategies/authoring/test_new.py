"""A new strategy works: it passes our own checks and its own test; one that cannot be written leaves nothing behind."""

import importlib.util
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from apps.strategies.authoring.new import strategy_new
from apps.strategies.authoring.testing import bars_of
from moondev.domain.errors import InvalidValue
from moondev.settings.env import PROJECT_ROOT

NAME = "my_averages"


@pytest.fixture
def folder(tmp_path):
    strategy_new(NAME, tmp_path, ["turtle_trend"])
    return tmp_path


def run(*command, cwd=PROJECT_ROOT, text=None):
    """Run a tool as an author would, without this project's environment."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        check=False,
        cwd=cwd,
        capture_output=True,
        text=True,
        input=text,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd)},
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_its_own_test_passes_where_it_lies(folder):
    code, told = run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    assert code == 0, told
    assert "3 passed" in told
    # And it does test something.
    path = folder / f"{NAME}.py"
    path.write_text(path.read_text().replace("params.stop_percent / 100", "params.stop_percent / 50"))
    assert run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder)[0] == 1


def test_a_trade_that_was_stopped_out_waits_for_the_next_cross(folder):
    spec = importlib.util.spec_from_file_location(NAME, folder / f"{NAME}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bars, held = bars_of([10, 11, 12]), {"side": 1, "since_ms": 0, "price": 10.0, "held": True}
    assert not module._trade(held, 1, bars, held=True).over
    stopped = module._trade(held, 1, bars, held=False)
    assert stopped.over
    assert module._trade(stopped.model_dump(), 1, bars, held=False).over
    assert not module._trade(stopped.model_dump(), 0, bars, held=False).over
    assert module._target("test:BTC", stopped, module.MyAveragesParameters()).weight == 0


@pytest.mark.parametrize(("file", "where"), [(f"{NAME}.py", "apps/strategies/"), (f"test_{NAME}.py", "tests/unit/")])
def test_it_passes_our_own_linter_and_formatter(folder, file, where):
    text = (folder / file).read_text()
    for action in (["check", "-"], ["format", "--check", "-"]):
        code, told = run("ruff", *action, "--stdin-filename", f"{where}{file}", text=text)
        assert code == 0, told


@pytest.mark.timeout(180)
def test_it_passes_our_own_type_checker(folder):
    # The cache of `make check`, where there is one, makes this a matter of seconds.
    files = [str(folder / f"{NAME}.py"), str(folder / f"test_{NAME}.py")]
    code, told = run("mypy", "--config-file", "pyproject.toml", *files)
    assert code == 0, told


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("My_Strategy", "a-z, 0-9 and _"),
        ("ab", "3 to 40"),
        ("9lives", "a letter first"),
        ("a" * 41, "3 to 40"),
        ("../evil", "a-z"),
        ("lambda", "no word of Python's"),
        ("match", "no word of Python's"),
        ("conftest", "not reserved"),
        ("test_it", "not reserved"),
        ("moondev", "not reserved"),
        ("turtle_trend", "not taken"),
        ("json", "no module of Python's"),
        ("numpy", "installed package"),
    ],
)
def test_a_name_that_a_strategy_cannot_have_is_refused_and_nothing_is_written(tmp_path, name, why):
    with pytest.raises(InvalidValue, match=why):
        strategy_new(name, tmp_path / "new", ["turtle_trend"])
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_never_overwritten(folder):
    before = {path: path.read_text() for path in folder.iterdir()}
    with pytest.raises(InvalidValue, match="does not exist yet"):
        strategy_new(NAME, folder, [])
    (folder / "test_other.py").write_text("mine")
    with pytest.raises(InvalidValue, match=r"test_other\.py"):
        strategy_new("other", folder, [])
    (folder / "packaged").mkdir()
    with pytest.raises(InvalidValue, match="no folder"):
        strategy_new("packaged", folder, [])
    assert not (folder / "other.py").exists()
    assert {path: path.read_text() for path in before} == before


def test_the_platforms_own_folders_are_no_place_for_it():
    with pytest.raises(InvalidValue, match="outside of the platform's own code"):
        strategy_new(NAME, PROJECT_ROOT / "apps" / "strategies" / "library", [])


def test_the_command_writes_checks_and_lists(tmp_path, capsys, settings):
    with pytest.raises(CommandError, match="MOONDEV_STRATEGIES_DIR is None; allowed: a folder"):
        call_command("strategy", "new", NAME)
    call_command("strategy", "new", NAME, "--dir", str(tmp_path))
    call_command("strategy", "check", str(tmp_path / f"{NAME}.py"))
    told = capsys.readouterr().out
    assert f"wrote {tmp_path / NAME}.py" in told
    assert "my_averages: loads; presets canonical, slow" in told
    assert told.count("does not see ahead") == 2
    with pytest.raises(CommandError, match="not taken"):
        call_command("strategy", "new", "turtle_trend", "--dir", str(tmp_path))
    path = tmp_path / "broken.py"
    path.write_text("import time\nclass Broken(")
    with pytest.raises(CommandError, match=r"broken\.py: SyntaxError: '\(' was never closed \(broken\.py, line 2\)"):
        call_command("strategy", "check", str(path))
    with pytest.raises(CommandError, match="a file that is there"):
        call_command("strategy", "check", str(tmp_path / "nowhere.py"))
    with pytest.raises(CommandError, match="No such file"):
        call_command("strategy", "check", "/nowhere/at/all.py")
