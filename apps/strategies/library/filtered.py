"""A filter: another strategy's trades, of which a trained model lets through those that are likely to win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, cast

import numpy as np

from apps.strategies.base import Decision, JSONValue, OwnPosition, Parameters, State, Strategy
from apps.strategies.library.learned.features import FEATURE_BARS, features
from apps.strategies.library.learned.parameters import CANONICAL, INNER, FilteredParameters
from apps.strategies.library.learned.store import Trained, trained
from moondev.domain.desired import Desired, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs


class Filtered(Strategy[FilteredParameters]):
    """Decide as the inner strategy does, but open a position only where the model agrees.

    What is refused is, to the inner strategy, an entry that did not fill: a thing it has to live with anyway. A signal
    is asked about once, when it first appears; what is held is left to the inner strategy. A model that cannot be read
    lets nothing in and holds nobody back who wants out: the tick fails when there is nothing to leave.
    """

    name: ClassVar[str] = "filtered"
    parameters: ClassVar[type[Parameters]] = FilteredParameters
    presets: ClassVar[Mapping[str, Parameters]] = MappingProxyType({"canonical": CANONICAL})

    def ready(self, params: FilteredParameters) -> None:
        """Raise InvalidValue when the filter is not there, was changed, or was trained on another strategy."""
        _filter(params)

    def needs(self, params: FilteredParameters, instruments: tuple[Instrument, ...]) -> Needs:
        """Return what the inner strategy needs, and the bars that the features are computed from."""
        needs = _inner(params).needs(params.inside(), instruments)
        filtering = _readable(params)
        if filtering is None:
            return needs
        interval = timedelta(seconds=filtering.card.interval_s)
        bars = {**needs.bars, interval: max(needs.bars.get(interval, 0), FEATURE_BARS)}
        return replace(needs, bars=bars)

    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: FilteredParameters,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return the inner decision without the openings that the model refuses.

        Raises InvalidValue (OSError for a file that may not be read) when there is no model to ask and nothing is held.
        """
        inside = cast(State, state.get("inner") or {})
        inner = _inner(params).decide(view, own, params.inside(), inside, instruments)
        if not params.artefact:
            return replace(inner, state={"inner": cast(JSONValue, inner.state)})
        asked = dict(cast(Mapping[str, JSONValue], state.get("asked") or {}))
        gate = _Gate(_model(params, own), params.threshold, view, own, asked)
        desired = tuple(gate.passed(one) for one in inner.desired)
        kept: State = {"inner": cast(JSONValue, inner.state), "asked": gate.asked}
        return Decision(desired, kept, (*inner.notes, *gate.notes))


class _Gate:
    """One tick's questions to the model. `asked` is per instrument the newest signal and whether it was let through."""

    def __init__(
        self,
        filtering: Trained | str,
        threshold: float,
        view: MarketView,
        own: OwnPosition,
        asked: dict[str, JSONValue],
    ) -> None:
        """Take the filter, or why there is none to ask; a threshold of 0 is that of its card."""
        self._filter, self._threshold, self._view, self._own = filtering, threshold, view, own
        self.asked = asked
        self.notes: list[str] = []

    def passed(self, desired: Desired) -> Desired:
        """Return what may be wanted: the same, or nothing where the model refuses to open."""
        if not isinstance(desired, Target) or not desired.weight:
            return desired
        # More of what is held is the inner strategy's affair; to turn it round is to leave and to open.
        if float(self._own.holding(desired.instrument).quantity) * desired.weight > 0:
            return desired
        known = self.asked.get(desired.instrument)
        if not (isinstance(known, list) and known[0] == desired.signal_id):
            known = [desired.signal_id, self._agrees(desired)]
            self.asked[desired.instrument] = known
        return desired if known[1] else Target(desired.instrument, 0.0, "filtered", "the model expects a loss")

    def _agrees(self, target: Target) -> bool:
        if isinstance(self._filter, str):
            self.notes.append(f"{target.instrument}: {target.signal_id}: refused, {self._filter}")
            return False
        threshold = self._threshold or self._filter.card.threshold
        direction = 1 if target.weight > 0 else -1
        bars = self._view.instruments[target.instrument].bars.get(timedelta(seconds=self._filter.card.interval_s))
        row = None if bars is None else features(bars, direction)
        if row is None:
            self.notes.append(f"{target.instrument}: {target.signal_id}: fewer than {FEATURE_BARS} bars to judge it by")
            return False
        probability = float(self._filter.model.win_probability(np.array([row]))[0])
        words = "let through" if probability >= threshold else "refused"
        odds = f"wins with {probability:.3f}, {threshold:.3f} asked"
        self.notes.append(f"{target.instrument}: {target.signal_id}: {words}, {odds}")
        return probability >= threshold


def _inner(params: FilteredParameters) -> Strategy[Any]:
    return INNER[params.inner]()


def _model(params: FilteredParameters, own: OwnPosition) -> Trained | str:
    """Return the filter, or why there is none where something is held; raises as `trained` does where nothing is."""
    try:
        return cast(Trained, _filter(params))
    except (InvalidValue, OSError) as error:
        if not any(holding.quantity for holding in own.holdings.values()):
            raise
        return f"{error}; what is held may be left, nothing is opened"


def _readable(params: FilteredParameters) -> Trained | None:
    """Return the filter; None for none, or one that cannot be read, which is told where something is decided."""
    try:
        return _filter(params)
    except (InvalidValue, OSError):
        return None


def _filter(params: FilteredParameters) -> Trained | None:
    """Return the trained filter; None for none. Raises InvalidValue when it was trained on another strategy."""
    if not params.artefact:
        return None
    found = trained(params.artefact)
    if found.card.kind != params.inner:
        raise InvalidValue("artefact", f"{params.artefact} of {found.card.kind}", f"one trained on {params.inner}")
    return found
