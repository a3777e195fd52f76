"""What must be remembered of a bracketed trade because bars and position do not tell it."""

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

    `signal_ms` is the open time of the bar that called for it, `bar_ms` of the newest bar acted
    upon, `seen_ms` of the newest bar when its position first showed. `price` is the limit or the
    close at the signal, `weight` the unsigned share of the allocation; `settled` what the holding
    had realised and paid in fees before. `revision` counts how often the position turned out other
    than planned: from then on nothing is bought for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phase: Phase
    direction: Literal[-1, 1]
    label: str = Field(min_length=1)
    signal_ms: int
    bar_ms: int
    seen_ms: int = 0
    price: float = Field(gt=0)
    weight: float = Field(ge=0, le=1)
    stop: float | None = None
    take_profit: float | None = None
    rests: bool = False
    follows_fill: bool = False
    valid_bars: int = Field(1, ge=1)
    hold_bars: int = Field(0, ge=0)
    seen_quantity: float = 0.0
    settled: str = ""
    revision: int = 0

    @property
    def signal_id(self) -> str:
        """Return the name of this size of this trade."""
        revised = f":r{self.revision}" if self.revision else ""
        return f"{self.label}:{self.signal_ms}{revised}"

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
    """Return the memory in `state` and an empty note.

    For a state that is malformed or of another version: an empty memory and a note why; positions
    are then adopted as they are found.
    """
    if not state:
        return Memory(), ""
    try:
        return Memory.model_validate(state), ""
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:3])
        return Memory(), f"state is not of version {VERSION} ({fields}): starting from the position"
