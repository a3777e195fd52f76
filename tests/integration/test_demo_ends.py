"""The demo is told to end, or told nonsense: nothing is left running.

Apart from the demo's other tests, so that they may run beside each other.
"""

import signal
import time

import pytest

from tests.support.demo_runs import demo, environment_of, started_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def environment(tmp_path):
    return environment_of(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(environment, number):
    with demo(environment, start_new_session=True) as run:
        for line in run.stdout:
            if line.startswith("strategies:"):
                break
        time.sleep(2)
        assert len(started_by(environment)) > 10
        run.send_signal(number)
        output, _ = run.communicate(timeout=60)
    assert run.returncode != 1, output
    assert started_by(environment) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--for", "0"], "--for is 0.0; allowed: seconds above 0"),
        (["--for", "nan"], "--for is nan; allowed: seconds above 0"),
        (["--speed", "60"], "--speed needs --feed"),
        (["--feed", "/nowhere.parquet"], "--feed is /nowhere.parquet; there is no such file"),
        (["--feed", __file__], "allowed: a readable Parquet file"),
    ],
)
def test_nonsense_is_refused_before_anything_is_started(environment, arguments, sentence):
    with demo(environment, *arguments) as run:
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert sentence in output
    assert "Traceback" not in output
    assert started_by(environment) == []
