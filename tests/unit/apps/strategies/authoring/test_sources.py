"""A version is the text of a file and of all that it imports; its hash changes with any of it."""

import ast

import pytest

from apps.strategies.authoring.candidates import Unusable, found_in, is_strategy
from apps.strategies.authoring.folder import Contents
from apps.strategies.authoring.imports import closure, finder, imported
from apps.strategies.authoring.library_code import library_hash
from apps.strategies.authoring.source import Source, hash_of, source_of
from apps.strategies.library.turtle_trend import TurtleTrend
from apps.strategies.orchestrator.loader import load
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.authoring.texts import idea

FOLDER = {
    "holder.py": idea(imports="import rules, pkg.deep\nfrom pkg import side"),
    "rules.py": "from pkg.deep import depth\nimport holder",
    "pkg/__init__.py": "",
    "pkg/deep.py": "from .side import x\nfrom . import other\ndepth = 1",
    "pkg/side.py": "x = 1",
    "pkg/other.py": "def late():\n    import lazy",
    "lazy.py": "",
    "unused.py": "1 / 0",
    "numpy_like.py": "",
}


def test_every_import_is_named_wherever_it_stands():
    tree = ast.parse("import a.b, c as d\nfrom e import f\ndef g():\n    from .h import i\n    from .. import j\n")
    assert imported(tree, "top.pkg") == {"a.b", "c", "e", "e.f", "top.pkg.h", "top.pkg.h.i", "top", "top.j"}
    assert imported(ast.parse("from . import x\nfrom ... import y"), "") == set()


def test_a_version_holds_what_the_file_needs_of_the_folder_and_nothing_else():
    source = source_of("holder.py", FOLDER)
    assert set(source.files) == set(FOLDER) - {"unused.py", "numpy_like.py"}
    assert source.module == "holder"


def test_a_circle_of_imports_ends():
    assert set(closure("a", finder({"a.py": "import b", "b.py": "import a"}))) == {"a", "b"}


@pytest.mark.parametrize("path", ["holder.py", "pkg/side.py", "lazy.py"])
def test_a_change_in_any_file_of_it_is_another_version(path):
    before = source_of("holder.py", FOLDER).code_hash
    assert source_of("holder.py", {**FOLDER, path: FOLDER[path] + "\n"}).code_hash != before
    assert source_of("holder.py", {**FOLDER, "unused.py": "2"}).code_hash == before
    assert source_of("holder.py", dict(reversed(FOLDER.items()))).code_hash == before
    assert len(before) == 64


def test_texts_that_run_into_each_other_are_told_apart():
    assert hash_of({"a": "b", "c": "d"}) != hash_of({"a": "bc", "": "d"})
    assert hash_of({"ab": "c"}) != hash_of({"a": "bc"})


def test_too_much_of_it_is_refused():
    with pytest.raises(InvalidValue, match="at most 1000000"):
        source_of("a.py", {"a.py": "#" * 1_000_001})
    many = {f"m{n}.py": "" for n in range(200)}
    with pytest.raises(InvalidValue, match="at most 200"):
        source_of("a.py", {"a.py": "\n".join(f"import m{n}" for n in range(200)), **many})


@pytest.mark.parametrize("name", ["json", "apps", "moondev"])
def test_a_file_that_would_hide_a_module_that_everybody_means_is_refused(name):
    texts = {"holder.py": idea(imports=f"import {name}"), f"{name}.py": ""}
    found = found_in(Contents(texts, {}), set())["holder.py"]
    assert isinstance(found, Unusable)
    assert found.error.endswith("allowed: a name that is no module of Python's or of the platform")


def test_files_that_define_no_strategy_are_modules_of_those_that_do():
    found = found_in(Contents({**FOLDER, "test_holder.py": idea(), "_base.py": idea(), "conftest.py": ""}, {}), set())
    assert set(found) == {"holder.py"}
    assert is_strategy("import apps.strategies.base as b\nclass A(b.Strategy[P]): pass")
    assert is_strategy("import apps.strategies.base as b\nclass A(b.Strategy): pass")


def test_a_file_that_was_a_strategy_is_looked_at_whatever_it_says_now():
    assert isinstance(found_in(Contents({"rules.py": "x = 1"}, {}), {"rules.py"})["rules.py"], Source)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def broken(:\n", "SyntaxError: invalid syntax (rules.py, line 1)"),
        (idea()[:-30], "SyntaxError"),
        ("x = '\0'", "null byte"),
        ("(" * 5_000 + ")" * 5_000, "too many nested parentheses"),
    ],
)
def test_what_is_no_python_is_told_with_its_line(text, error):
    found = found_in(Contents({"rules.py": text}, {}), {"rules.py"})["rules.py"]
    assert isinstance(found, Unusable)
    assert error.partition(" (")[0] in found.error


def test_a_file_that_cannot_be_read_is_told_too():
    found = found_in(Contents({}, {"rules.py": "is not UTF-8: byte 3 is 0xff"}), set())["rules.py"]
    assert isinstance(found, Unusable)
    assert found.error == "rules.py is not UTF-8: byte 3 is 0xff"


def test_a_library_strategy_is_named_by_all_the_rooms_it_is_written_in(monkeypatch):
    from apps.strategies.authoring import library_code

    before = library_hash(TurtleTrend)
    assert load("turtle_trend", {}).code_hash == before
    seen = []

    def changed(name):
        source = original(name)
        seen.append(name)
        return source + "#" if source and name == "apps.strategies.library.turtle.units" else source

    original = library_code._room
    monkeypatch.setattr(library_code, "_room", changed)
    assert library_hash(TurtleTrend) != before
    assert "apps.strategies.indicators.ranges" in seen or "apps.strategies.indicators.true_range" in seen
    # What every strategy stands on is the platform's, which has a version of its own.
    assert original("moondev.domain.values") is None
