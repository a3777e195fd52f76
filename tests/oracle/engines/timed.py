"""A process that runs one thing again and again when it is told to, and tells what each run took.

For the benchmark, in environments of others and in ours alike: it imports nothing but the standard library and numpy.
Called with a file of columns and parameters as JSON; every line read is a run, every line written an answer.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np


def serve(prepare, arguments):
    """Call `prepare(columns, parameters)` once, and what it returns for every line of input; it returns trades."""
    tell = _own_output()
    columns_path, parameters = arguments
    with np.load(columns_path) as file:
        columns = {name: file[name] for name in file.files}
    run = prepare(columns, json.loads(parameters))
    tell({"idle_mb": _peak_mb()})
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        trades = run()
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        tell({"wall_s": wall_s, "cpu_s": cpu_s, "trades": int(trades), "peak_mb": _peak_mb()})


def _own_output():
    """Keep the output for answers; what an engine prints goes with its errors."""
    output, sys.stdout = sys.stdout, sys.stderr

    def tell(answer):
        output.write(json.dumps(answer) + "\n")
        output.flush()

    return tell


def _peak_mb():
    """Return the most memory this program ever held (man 5 proc: VmHWM; getrusage counts the parent's too)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
