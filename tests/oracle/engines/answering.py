"""What the scripts of this folder share. They run in environments of others, so they import nothing of ours.

Called with a file of columns, parameters as JSON and the file to answer into.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

# Of a curve every so many rows are kept, and the last.
EVERY = 101


def answer(reply, *packages):
    """Call `reply(columns, parameters)` and write what it returns, with the versions of `packages`."""
    columns_path, parameters, answer_path = sys.argv[1:]
    with np.load(columns_path) as file:
        columns = {name: file[name] for name in file.files}
    found = reply(columns, json.loads(parameters))
    versions = {name: version(name) for name in ("numpy", *packages)}
    Path(answer_path).write_text(json.dumps({"versions": versions, **found}), encoding="utf-8")


def mean_distance(close, fast, slow):
    """Return (fast mean - slow mean) x fast x slow in ticks of 0.01, NaN while one is not known.

    Sums of whole numbers: two engines that round differently may not differ on which mean is above.
    """
    sums = np.concatenate(([0], np.cumsum(np.round(close * 100).astype(np.int64))))
    distance = np.full(len(close), np.nan)
    rows = np.arange(max(fast, slow), len(sums))
    of_fast, of_slow = sums[rows] - sums[rows - fast], sums[rows] - sums[rows - slow]
    distance[rows - 1] = of_fast * slow - of_slow * fast
    return distance


def sampled(equity):
    """Return some rows of an equity curve, the last among them."""
    values = np.asarray(equity, dtype=np.float64)
    return [*values[::EVERY].tolist(), float(values[-1])]
