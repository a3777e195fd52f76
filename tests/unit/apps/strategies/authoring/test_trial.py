"""A strategy is tried in a process of its own, which it may ruin as it likes."""

from decimal import Decimal

import pytest

from apps.strategies.authoring.source import source_of
from apps.strategies.authoring.testing import instrument
from apps.strategies.authoring.trial import Asked, Outcome, RowAsked, _outcome, tried
from tests.unit.apps.strategies.authoring.texts import idea


def asked(text, **more):
    return Asked(source_of("holder.py", {"holder.py": text}), **more)


def test_says_what_it_is_called_what_each_row_needs_and_which_rows_it_does_not_fit():
    text = idea(
        imports='from datetime import timedelta\nprint(\'{"error": "mine"}\')', needs="{timedelta(minutes=5): 30}"
    )
    rows = (
        RowAsked("fits", {"weight": 0.3}, (instrument("ETH"),)),
        RowAsked("typo", {"wait": 1}, (instrument("ETH"),)),
    )
    outcome = tried(asked(text, rows=rows, examine=True))
    assert (outcome.error, outcome.name, outcome.presets) == ("", "holder", ("plain",))
    assert outcome.needs["fits"].instruments == ("test:ETH",)
    assert [(str(k), n) for k, n in outcome.needs["fits"].bars.items()] == [("0:05:00", 30)]
    assert outcome.unfit == {"typo": "wait is 1; allowed: only weight"}
    assert [(one["preset"], one["passed"]) for one in outcome.findings] == [("plain", True)]


def test_a_strategy_that_sees_ahead_or_answers_nonsense_is_found_out():
    peeks = (
        "bars = view.instruments['test:BTC'].bars[timedelta(minutes=5)]\n"
        "        whole = bars.close if bars.close.base is None else bars.close.base\n"
        "        params = params.model_copy(update={'weight': float(whole[-1] > 1000)})"
    )
    imports, needs = "from datetime import timedelta", "{timedelta(minutes=5): 3}"
    outcome = tried(asked(idea(imports=imports, needs=needs, decide=peeks), examine=True))
    assert not outcome.findings[0]["passed"]
    assert "looks ahead, or is not the same twice" in outcome.findings[0]["problem"]
    outcome = tried(asked(idea(decide="return 'buy'"), examine=True))
    assert outcome.findings[0]["problem"] == "InvalidValue: decision is 'str'; allowed: a Decision"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import os\nif os.fork() == 0: pass", "it starts a process (os.fork)"),
        ("import threading\nthreading.Thread(target=print).start()", "it starts a thread"),
        ("import subprocess\nsubprocess.run(['true'])", "it starts a process"),
        ("import os\nos._exit(7)", "it ended the process that tried it (exit code 7)"),
        ("import os\nos.abort()", "it ended the process that tried it (exit code -6)"),
        ("import os\nos.write(1, b'{}')\nos._exit(0)", "it ended the process"),
        (idea("turtle_trend"), "name is 'turtle_trend'; allowed: a name that no strategy of the library has"),
        (idea(imports="import concurrent.futures, multiprocessing.pool, uuid, ctypes.util"), ""),
    ],
)
def test_what_it_does_to_its_process_is_told(text, told):
    outcome = tried(asked(text, taken=frozenset({"turtle_trend"})))
    assert told in outcome.error
    assert bool(outcome.error) == bool(told)


def test_one_that_does_not_end_is_ended():
    # The alarm cannot interrupt a computation in C: the process is killed.
    assert tried(asked("sum(range(10 ** 13))"), seconds=1.0).error == "trying it did not end within 1 s"


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"error": "", "name": 1}', b'{"error":"","name":"","presets":3}']
)
def test_an_answer_of_another_shape_is_no_answer(answer):
    assert _outcome(answer, 0) == Outcome(error="it ended the process that tried it (exit code 0)")


def test_the_instrument_of_tests_is_finely_cut():
    assert instrument().lot.value == Decimal("0.000001")
