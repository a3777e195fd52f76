"""The SMA cross in backtesting.py, timed."""

import sys

from backtesting_cross import run_of
from timed import serve


def prepare(columns, parameters):
    """Return the run."""
    ((fast, slow),) = parameters["pairs"]
    asked = {**parameters, "fast": fast, "slow": slow, "rule": "next open"}
    return lambda: len(run_of(columns, asked)["_trades"])


if __name__ == "__main__":
    serve(prepare, sys.argv[1:])
