"""Listing samplers must not cost every process what the samplers need."""

import subprocess
import sys

HEAVY = ("sklearn", "optuna")


def test_samplers_are_listed_without_importing_what_they_compute_with():
    code = (
        "import sys; from apps.strategies.optimise.samplers.registry import sampler, sampler_names;"
        f"names = sampler_names(); heavy = [m for m in {HEAVY!r} if m in sys.modules]; print(len(names), heavy)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert told.stdout.split(maxsplit=1) == ["8", "[]\n"]
