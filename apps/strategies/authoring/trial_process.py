"""The process in which a strategy is tried: reads what is asked from stdin, writes one line of JSON, ends."""

from __future__ import annotations

import json
import os
import pickle
import sys
from typing import Any

from apps.strategies.authoring.exam import examined
from apps.strategies.authoring.guard import Forbidden, forbid
from apps.strategies.authoring.trial import Asked, RowAsked
from apps.strategies.authoring.version import BrokenStrategy, Version, load_version
from apps.strategies.parameters import parameters_of
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Needs

Said = dict[str, Any]


def main() -> None:
    """Answer the one question on stdin."""
    # What the strategy prints goes elsewhere: the answer alone is read.
    answer = os.dup(1)
    os.dup2(2, 1)
    asked: Asked = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  written by the process that started this one
    forbid()
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(answered(asked))
    # No thread and no exit handler of the strategy's has a say in how this ends.
    os._exit(0)


def answered(asked: Asked) -> bytes:
    """Return the answer to what is asked, as JSON."""
    said: Said = {"error": "", "name": "", "presets": [], "needs": {}, "unfit": {}, "findings": []}
    try:
        _try(asked, said)
    except (BrokenStrategy, InvalidValue) as error:
        said["error"] = str(error)
    except Forbidden as error:
        said["error"] = f"importing or asking it failed: {error}"
    return json.dumps(said).encode()


def _try(asked: Asked, said: Said) -> None:
    version = load_version(asked.source)
    said["name"], said["presets"] = version.strategy.name, list(version.strategy.presets)
    if version.strategy.name in asked.taken:
        raise InvalidValue("name", version.strategy.name, "a name that no strategy of the library has")
    for row in asked.rows:
        try:
            said["needs"][row.slug] = _plain(_needs(version, row))
        except (Exception, SystemExit) as error:  # noqa: BLE001  its own code: whatever it raises, it does not fit
            said["unfit"][row.slug] = str(error) if isinstance(error, InvalidValue) else repr(error)
    if asked.examine:
        said["findings"] = examined(version.strategy)


def _needs(version: Version, row: RowAsked) -> Needs:
    parameters = parameters_of(version.strategy.parameters, row.parameters)
    needs = version.strategy().needs(parameters, row.instruments)
    if not isinstance(needs, Needs):
        raise InvalidValue("needs", type(needs).__name__, "a Needs")
    return needs


def _plain(needs: Needs) -> Said:
    bars = [(round(interval.total_seconds()), count) for interval, count in needs.bars.items()]
    return {"instruments": list(needs.instruments), "bars": bars, "book": needs.book}


if __name__ == "__main__":
    main()
