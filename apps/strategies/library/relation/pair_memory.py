"""What a pair must remember between two ticks."""

from __future__ import annotations

from typing import Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.strategies.base import State
from apps.strategies.library.bracketed.memory import Phase

VERSION: Literal[1] = 1


class PairTrade(BaseModel):
    """One trade of the spread y - beta x: `direction` 1 is long y and short x.

    `signal_ms` is the open time of the bar that began it, `bar_ms` of the newest bar acted upon. `weight_y` and
    `weight_x` are unsigned shares of the allocation; `seen_y` and `seen_x` the signed holdings once both were there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phase: Phase
    direction: Literal[-1, 1]
    signal_ms: int
    bar_ms: int
    beta: float = Field(gt=0)
    weight_y: float = Field(ge=0, le=1)
    weight_x: float = Field(ge=0, le=1)
    seen_y: float = 0.0
    seen_x: float = 0.0

    @property
    def signal_id(self) -> str:
        """Return the name of this trade."""
        return f"pair:{'long' if self.direction > 0 else 'short'}:{self.signal_ms}"

    def but(self, **changes: object) -> Self:
        """Return this trade with `changes`, checked like any other."""
        return type(self).model_validate({**self.__dict__, **changes})


class PairMemory(BaseModel):
    """The whole state row; bars up to `after_ms` open nothing, and `bar_ms` is the newest that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    mode: Literal["pairs"] = "pairs"
    trade: PairTrade | None = None
    after_ms: int = 0
    bar_ms: int = 0

    def but(self, **changes: object) -> Self:
        """Return this memory with `changes`."""
        return self.model_copy(update=changes)

    def to_state(self) -> State:
        """Return the JSON that `remembered` reads."""
        return cast(State, self.model_dump(mode="json"))


def remembered(state: State) -> tuple[PairMemory, str]:
    """Return the memory in `state`, or an empty one with a note when it cannot be read."""
    if not state:
        return PairMemory(), ""
    try:
        return PairMemory.model_validate(state), ""
    except ValidationError:
        return PairMemory(), f"state is not a pair's of version {VERSION}: starting flat"
