"""Runs cases one after the other; what cannot be run is a line that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.requests.asking import request_for
from apps.strategies.backtest.services import backtest_compute
from apps.strategies.backtest.shelf import Holds, files_in, funding_among
from apps.strategies.backtest.survey.cases import Case
from moondev.domain.clock import monotonic
from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: a record, or the reason why there is none."""

    case: Case
    record: RunRecord | None
    reason: str
    seconds: float


def outcomes(
    cases: Iterable[Case], folder: Path, on_progress: Callable[[Case, float], None] | None = None
) -> Iterator[Outcome]:
    """Yield what comes of each case on the recordings below `folder`, with funding where it is recorded."""
    bars, funding = list(files_in(folder, Holds.BARS)), list(files_in(folder, Holds.FUNDING))
    for case in cases:
        began = monotonic()
        told = None if on_progress is None else _told_of(case, on_progress)
        try:
            record, reason = _run(case, bars, funding, folder, told), ""
        except InvalidValue as refusal:
            record, reason = None, str(refusal)
        yield Outcome(case, record, reason, monotonic() - began)


def _run(
    case: Case, bars: Sequence[str], funding: Sequence[str], folder: Path, told: Callable[[float], None] | None
) -> RunRecord:
    data = [_file(recording, bars) for recording in case.recordings]
    request = request_for(
        case.strategy,
        data=data,
        preset_name=case.preset,
        changed=dict(case.changed),
        funding=funding_among(funding, data),
    )
    return backtest_compute(request, folder, told)


def _file(recording: str, bars: Sequence[str]) -> str:
    found = [name for name in bars if Path(name).name.startswith((f"{recording}_", f"{recording}."))]
    if not found:
        raise InvalidValue("recording", recording, "one that is in the folder")
    return found[-1]


def _told_of(case: Case, on_progress: Callable[[Case, float], None]) -> Callable[[float], None]:
    return lambda share: on_progress(case, share)
