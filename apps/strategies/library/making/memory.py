"""What the market maker must remember between two ticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.strategies.base import State

VERSION: Literal[1] = 1


class Market(BaseModel):
    """One market; times in milliseconds UTC, 0 for never.

    `centre` (price) and `half_bps` are where quotes lie now, 0 for nowhere; `unit` one side's
    quantity; no quoting before `pause_until_ms`. The rest is of the position last seen: its signed
    quantity `held`, its `weight` and `stop` (0 for none), since when, and whether it is being
    closed whatever happens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    centre: float = Field(0.0, ge=0)
    half_bps: float = Field(0.0, ge=0)
    unit: float = Field(0.0, ge=0)
    pause_until_ms: int = 0
    held: float = 0.0
    weight: float = Field(0.0, ge=-1, le=1)
    stop: float = Field(0.0, ge=0)
    held_since_ms: int = 0
    closing: bool = False

    def but(self, **changes: object) -> Self:
        """Return this market with `changes`, checked like any other."""
        return type(self).model_validate({**self.__dict__, **changes})


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
    except ValidationError:
        return Memory(), f"state is not of version {VERSION}: starting from the position"
