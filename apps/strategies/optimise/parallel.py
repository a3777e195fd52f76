"""Parallel coordinates: one upright axis per parameter and objective, one line per trial, in SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.strategies.optimise.choosing import Ended
from apps.strategies.optimise.objectives import oriented
from apps.strategies.optimise.space import Choice, Dimension, Real, Scalar, Space, Whole

AXIS_GAP, TOP, HEIGHT, MARGIN = 110, 44, 300, 80
# More lines than this are a grey plane, and a page of megabytes.
MOST_LINES = 500
MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One upright line; `text` is what stands above it."""

    x: float
    text: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One trial. `rank` is 0 for the best and 1 for the worst; `shade` an index of the colours, best first."""

    number: int
    points: str
    rank: float
    shade: int
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws; the best line last, so that it lies on top."""

    width: float
    height: float
    top: float
    bottom: float
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]


def parallel(space: Space, objectives: Sequence[str], best: Sequence[Ended], fold: int) -> Picture:
    """Return the picture of trials, given best first. Their objectives are those of the training of `fold`."""
    shown = _thinned(best)
    values = [_values(trial, objectives, fold) for trial in shown]
    dimensions: list[Dimension] = [*space.dimensions, *(_range(name, values) for name in objectives)]
    axes = tuple(_axis(dimension, place) for place, dimension in enumerate(dimensions))
    lines = [
        _line(trial, value, dimensions, place / max(1, len(shown) - 1))
        for place, (trial, value) in enumerate(zip(shown, values, strict=True))
    ]
    width = 2 * MARGIN + AXIS_GAP * (len(axes) - 1)
    return Picture(width, TOP + HEIGHT + 24, TOP, TOP + HEIGHT, axes, tuple(reversed(lines)))


def _thinned(best: Sequence[Ended]) -> list[Ended]:
    """Return the best half of what may be shown, and of the rest every so many."""
    if len(best) <= MOST_LINES:
        return list(best)
    head, rest = best[: MOST_LINES // 2], best[MOST_LINES // 2 :]
    return [*head, *rest[:: -(-len(rest) // (MOST_LINES // 2))]]


def _values(trial: Ended, objectives: Sequence[str], fold: int) -> dict[str, Scalar]:
    scores = trial.score(fold) or ()
    return {**trial.parameters, **{n: oriented(n, score) for n, score in zip(objectives, scores, strict=True)}}


def _range(name: str, values: Sequence[Mapping[str, Scalar]]) -> Real:
    numbers = [float(value[name]) for value in values] or [0.0]
    return Real(name, min(numbers), max(numbers))


def _axis(dimension: Dimension, place: int) -> Axis:
    return Axis(MARGIN + AXIS_GAP * place, dimension.name, _ticks(dimension))


def _ticks(dimension: Dimension) -> tuple[Tick, ...]:
    if isinstance(dimension, Choice):
        return tuple(Tick(_y(dimension, option), str(option)) for option in dimension.options)
    ends = {dimension.low, dimension.high}
    inner = {dimension.value(place / (MOST_TICKS - 1)) for place in range(1, MOST_TICKS - 1)}
    return tuple(Tick(_y(dimension, value), _text(value)) for value in sorted(ends | inner))


def _line(trial: Ended, values: Mapping[str, Scalar], dimensions: Sequence[Dimension], rank: float) -> Line:
    points = " ".join(
        f"{MARGIN + AXIS_GAP * place:g},{_y(dimension, values[dimension.name]):.1f}"
        for place, dimension in enumerate(dimensions)
    )
    told = ", ".join(f"{dimension.name} {_text(values[dimension.name])}" for dimension in dimensions)
    return Line(trial.number, points, round(rank, 4), min(4, int(rank * 5)), f"trial {trial.number}: {told}")


def _y(dimension: Whole | Real | Choice, value: Scalar) -> float:
    return TOP + HEIGHT * (1 - min(max(dimension.unit(value), 0.0), 1.0))


def _text(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
