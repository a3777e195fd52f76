"""The SMA cross in nautilus-trader, timed: an engine is made anew for each run, as it runs once."""

import sys

from nautilus_cross import closed_positions, engine_of
from timed import serve


def prepare(columns, parameters):
    """Return the run."""
    ((fast, slow),) = parameters["pairs"]
    asked = {**parameters, "fast": fast, "slow": slow, "precision": 2}

    def run():
        engine = engine_of(columns, asked)
        engine.run()
        trades = len(closed_positions(engine))
        engine.dispose()
        return trades

    return run


if __name__ == "__main__":
    serve(prepare, sys.argv[1:])
