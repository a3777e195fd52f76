"""What a strategy of single trades must remember between two ticks because bars and position do not tell it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.strategies.base import State

VERSION: Literal[1] = 1


class Phase(StrEnum):
    """Where a trade stands, as far as the strategy has seen."""

    ENTERING = "entering"
    OPEN = "open"
    CLOSING = "closing"


class Trade(BaseModel):
    """One trade in one market.

    `kind` is what began it, `signal_ms` the open time of the bar that did, `bar_ms` of the newest bar acted upon.
    `weight` is unsigned; `entry`, `stop` and `take_profit` are prices, 0 for none (an `entry` of 0 is at the market).
    `base_quantity` is the signed holding before the trade, `seen_quantity` at the last tick, `settled` what the
    holding had realised and paid before the trade. `revision` counts how often the position turned out smaller or
    larger than planned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phase: Phase
    direction: Literal[-1, 1]
    kind: str
    signal_ms: int
    bar_ms: int
    weight: float = Field(ge=0, le=1)
    entry: float = Field(0.0, ge=0)
    stop: float = Field(0.0, ge=0)
    take_profit: float = Field(0.0, ge=0)
    base_quantity: float = 0.0
    seen_quantity: float = 0.0
    settled: str = ""
    revision: int = 0

    @property
    def signal_id(self) -> str:
        """Return the name of this size of this trade."""
        side = "long" if self.direction > 0 else "short"
        revised = f":r{self.revision}" if self.revision else ""
        return f"{self.kind}:{side}:{self.signal_ms}{revised}"

    def but(self, **changes: object) -> Self:
        """Return this trade with `changes`, checked like any other."""
        return type(self).model_validate({**self.__dict__, **changes})


class Market(BaseModel):
    """One market: its trade, if any; bars up to `after_ms` do not open another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trade: Trade | None = None
    after_ms: int = 0


class Memory(BaseModel):
    """The whole state row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    markets: Mapping[str, Market] = Field(default_factory=dict)

    def market(self, instrument: str) -> Market:
        """Return what is known of `instrument`; nothing when it is new."""
        return self.markets.get(instrument, Market())

    def to_state(self) -> State:
        """Return the JSON that `remembered` reads."""
        return cast(State, self.model_dump(mode="json"))


def remembered(state: State) -> tuple[Memory, str]:
    """Return the memory in `state`, or an empty one with a note when it cannot be read."""
    if not state:
        return Memory(), ""
    try:
        return Memory.model_validate(state), ""
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:3])
        return Memory(), f"state is not of version {VERSION} ({fields}): starting from the position"
