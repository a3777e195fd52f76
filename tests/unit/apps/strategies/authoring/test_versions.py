"""A version is loaded into a name space of its own, and nothing of it stays when it goes."""

import gc
import sys
import traceback
import typing
import weakref
from contextlib import suppress
from string import Template

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.authoring.candidates import Unusable, found_in
from apps.strategies.authoring.folder import Contents, read
from apps.strategies.authoring.modules import ROOT
from apps.strategies.authoring.new import TEMPLATE as FOLDER
from apps.strategies.authoring.source import Source, source_of
from apps.strategies.authoring.version import BrokenStrategy, load_version
from tests.unit.apps.strategies.authoring.texts import idea

TEMPLATE = Template((FOLDER / "strategy.py.txt").read_text()).substitute(
    name="spoilt", **{"class": "Spoilt"}, title="It"
)


def load(text, seconds=5.0, **others):
    files = {"holder.py": text, **{f"{name}.py": other for name, other in others.items()}}
    return load_version(source_of("holder.py", files), seconds)


@pytest.fixture(autouse=True)
def _alone():
    """Forget what tests of other files have loaded and left in this process."""
    for name in modules():
        del sys.modules[name]


def modules():
    return {name for name in sys.modules if name.startswith(ROOT)}


def test_files_of_the_folder_import_each_other_as_they_do_under_pytest():
    files = {
        "holder.py": idea(
            imports="import rules as r, pkg.deep\nfrom pkg import side\nfrom pkg.deep import depth\n"
            "from loose.inner import *",
            decide="import late; assert (late.x, r.y, pkg.deep.depth, side.z, depth, star) == (1, 2, 3, 4, 3, 5)",
        ),
        "late.py": "x = 1",
        "rules.py": "import numpy, json\ny = 2",
        "pkg/__init__.py": "from . import side",
        "pkg/deep.py": "from .side import z\nfrom ..pkg import side as again\ndepth = 3",
        "pkg/side.py": "z = 4",
        "loose/inner.py": "star = 5",
    }
    with pytest.raises(BrokenStrategy, match=r"beyond top-level|no module"):
        load_version(source_of("holder.py", files))
    files["pkg/deep.py"] = "from .side import z\ndepth = 3"
    path, before = list(sys.path), set(sys.modules)
    version = load_version(source_of("holder.py", files))
    version.strategy().decide(None, None, version.stored({}), {}, {})
    assert sys.path == path
    assert not {name for name in set(sys.modules) - before if not name.startswith(ROOT)} & {"late", "rules", "pkg"}
    # What is imported while it is unloaded already is found all the same: a tick that runs ends in peace.
    version.unload()
    version.strategy().decide(None, None, version.stored({}), {}, {})
    version.unload()
    assert not modules()


def test_types_are_found_by_dataclasses_and_pydantic():
    text = idea(
        imports="from dataclasses import dataclass\nfrom typing import Literal\nSide = Literal['long', 'short']\n",
        field="side: 'Side' = 'long'",
    ).replace('"""Holds', 'from __future__ import annotations\n"""Holds')
    text += "\n@dataclass(slots=True)\nclass Memory:\n    side: Side\n"
    version = load(text)
    assert version.strategy.parameters.model_json_schema()["properties"]["side"]["enum"] == ["long", "short"]
    version.unload()


def test_a_traceback_shows_the_line_of_the_strategy():
    version = load(idea(decide="raise ZeroDivisionError('here')"))
    with pytest.raises(ZeroDivisionError) as caught:
        version.strategy().decide(None, None, None, {}, {})
    told = "".join(traceback.format_exception(caught.value))
    assert f"holder.py@{version.code_hash[:12]}" in told
    assert "raise ZeroDivisionError('here')" in told
    version.unload()


def test_nothing_is_left_of_a_hundred_reloads():
    load(idea(tag="warm")).unload()
    gc.collect()
    modules_before, objects_before = len(sys.modules), len(gc.get_objects())
    seen = []
    for number in range(100):
        version = load(idea(imports="import rules", tag=f"version {number}"), rules=f"big = list(range({number}, 999))")
        version.stored({"weight": 0.2})
        seen.append(weakref.ref(version.strategy))
        version.unload()
    del version
    gc.collect()
    assert [ref for ref in seen if ref() is not None] == []
    assert len(sys.modules) == modules_before
    assert len(gc.get_objects()) - objects_before < 500
    assert typing.Generic  # its caches were emptied, not broken


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys\nsys.exit(3)", "SystemExit: 3 (holder.py, line 2)"),
        ("1 / 0", "ZeroDivisionError: division by zero (holder.py, line 1)"),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there' (holder.py, line 1)"),
        ("import rules.more", "ModuleNotFoundError: no module 'rules.more' in the folder"),
        ("while True: pass", "importing it did not end within 0.3 s (holder.py, line 1)"),
        ("try:\n    while True: pass\nexcept Exception: pass", "did not end within 0.3 s"),
        ("x = 1", "classes is 'none'; allowed: one class derived from Strategy"),
        (idea() + "\nclass Other(Holder):\n    name = 'other'", "classes is 'Holder, Other'"),
        (idea().replace("def decide", "def decides"), "classes is 'Holder'"),
        (idea("Not A Name"), "name is 'Not A Name'; allowed: 3 to 40 of a-z"),
        (idea().replace('name = "holder"', ""), "name is None"),
        (idea("class"), "no word of Python's"),
        (idea("test_me"), "not reserved"),
        (idea().replace("parameters = HolderParameters", "parameters = dict"), "parameters is <class 'dict'>"),
        (idea().replace('{"plain": HolderParameters()}', "{}"), "presets is mappingproxy({})"),
        (idea().replace('{"plain": HolderParameters()}', '{"a/b": HolderParameters()}'), "presets['a/b']"),
        (idea().replace('{"plain": HolderParameters()}', '{"a": Parameters()}'), "parameters of type HolderParameters"),
        (idea(field="odd: tuple[object, ...] = (object(),)"), "PydanticJsonSchemaWarning"),
    ],
)
def test_whatever_is_wrong_is_told_in_a_sentence_and_nothing_stays(text, told):
    with pytest.raises(BrokenStrategy) as caught:
        load(text, seconds=0.3, rules="")
    assert told in str(caught.value)
    caught = None
    assert not modules()


def test_a_version_cannot_import_what_its_hash_does_not_say():
    with pytest.raises(BrokenStrategy, match="No module named 'rules'"):
        load_version(Source("holder.py", {"holder.py": idea(imports="import rules")}))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from(["cut", "drop", "swap"]))
def test_a_spoilt_file_is_a_strategy_or_a_broken_one_and_never_anything_else(first, second, how):
    lines = TEMPLATE.splitlines(keepends=True)
    first, second = first % len(lines), second % len(lines)
    if how == "cut":
        spoilt = TEMPLATE[: len(TEMPLATE) * (first + 1) // (len(lines) + 1)]
    elif how == "drop":
        spoilt = "".join(line for number, line in enumerate(lines) if number not in {first, second})
    else:
        lines[first], lines[second] = lines[second], lines[first]
        spoilt = "".join(lines)
    found = found_in(Contents({"spoilt.py": spoilt}, {}), {"spoilt.py"})["spoilt.py"]
    if isinstance(found, Unusable):
        assert found.error
        return
    with suppress(BrokenStrategy):
        load_version(found).unload()
    assert not modules()


@given(st.binary(max_size=300))
def test_any_text_at_all_is_told_apart(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("any") / "any.py"
    path.write_bytes(raw)
    (found,) = found_in(read(path.parent), {"any.py"}).values()
    assert len(found.code_hash) == 64
