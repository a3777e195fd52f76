"""The witness stand itself: a stored answer counts only for what was asked, and a different one is told of."""

import json
import sys

import numpy as np
import pytest

from tests.oracle import questions, stored
from tests.oracle.__main__ import main
from tests.oracle.catalogue import QUESTIONS
from tests.oracle.likeness import differences
from tests.oracle.questions import Engine, EngineAbsent, EngineFailed, Given, Question, ask

ANSWER = {"trades": [1, 2], "final": 10.0, "word": "stop", "versions": {"numpy": "2"}}


def told(fresh, tolerance=1e-6):
    return list(differences(ANSWER, ANSWER | fresh, tolerance))


def test_counts_and_words_must_be_equal_and_numbers_near():
    assert told({"final": 10.0 + 9e-7, "versions": {"numpy": "3"}}) == []
    assert told({"final": 10.0 + 2e-6}) == ["answer.final is 10.000002, stored is 10.0"]
    assert told({"final": float("nan")}) == ["answer.final is nan, stored is 10.0"]
    assert told({"trades": [1, 3]}) == ["answer.trades[1] is 3, stored is 2"]
    assert told({"trades": [1]}) == ["answer.trades has 1 rows, stored are 2"]
    assert told({"word": "target", "more": 1}) == ["answer.more is new", "answer.word is 'target', stored is 'stop'"]
    assert next(differences(ANSWER, {}, 0.0)) == "answer.final is gone"


def question(**columns):
    given = Given({"close": np.array([1.0, 2.0]), **columns}, {"fast": 20})
    return Question("a.question", Engine("research", "some.py"), lambda: given)


def test_a_stored_answer_counts_only_for_the_numbers_it_was_given(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    with pytest.raises(stored.NeverAsked, match=r"a\.question\.json is missing"):
        stored.answer(question())
    stored.keep(question(), question().given(), ANSWER)
    assert stored.answer(question()) == ANSWER
    with pytest.raises(stored.NeverAsked, match="other numbers"):
        stored.answer(question(close=np.array([1.0, 2.0 + 1e-12])))
    assert json.loads((tmp_path / "a.question.json").read_text())["engine"] == "some.py"


def test_an_engine_that_is_not_installed_and_one_that_fails_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(questions, "ENVIRONMENTS", tmp_path)
    with pytest.raises(EngineAbsent, match="docker/oracle-environment research"):
        ask(Engine("research", "some.py"), question().given())
    (tmp_path / "research" / "bin").mkdir(parents=True)
    (tmp_path / "research" / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(EngineFailed, match=r"some\.py"):
        ask(Engine("research", "some.py"), question().given())


def test_every_question_has_a_name_of_its_own_a_script_and_a_stored_answer():
    names = [asked.name for asked in QUESTIONS]
    assert len(set(names)) == len(names)
    assert {path.stem for path in stored.FOLDER.glob("*.json")} == set(names)
    for asked in QUESTIONS:
        assert (questions.HERE / "engines" / asked.engine.script).exists()
        assert (questions.HERE / "requirements" / f"{asked.engine.environment}.txt").exists()


def test_a_question_that_nobody_asks_is_refused_with_the_names_of_those_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["--only", "no such question"])
    assert QUESTIONS[0].name in capsys.readouterr().err
