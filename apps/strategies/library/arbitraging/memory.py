"""What the arbitrage must remember between two ticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.strategies.base import State

VERSION: Literal[1] = 1


class Trade(BaseModel):
    """One pair that is being opened, held or unwound. Instruments by key, times in milliseconds UTC.

    `quantity` is what each leg is to hold (base units), the weights what the planner makes it of; `entry_gap_bps` by
    how much more the sold leg fetched than the bought one cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    buy: str
    sell: str
    signal: str = Field(max_length=90)
    quantity: float = Field(gt=0)
    buy_weight: float = Field(gt=0, le=1)
    sell_weight: float = Field(gt=0, le=1)
    entry_gap_bps: float
    opened_ms: int
    phase: Literal["opening", "held", "closing"] = "opening"

    def now(self, phase: str) -> Self:
        """Return this trade in another phase."""
        return type(self).model_validate({**self.__dict__, "phase": phase})


class Memory(BaseModel):
    """The whole state row: the trades, and until when which pairs rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    trades: tuple[Trade, ...] = ()
    resting_until_ms: Mapping[str, int] = Field(default_factory=dict)

    def to_state(self) -> State:
        """Return the JSON that `remembered` reads."""
        return cast(State, self.model_dump(mode="json"))


def pair_name(one: str, other: str) -> str:
    """Return the name of a pair of instruments, the same in either direction."""
    return " ".join(sorted((one, other)))


def remembered(state: State) -> tuple[Memory, str]:
    """Return the memory in `state`, or an empty one with a note when it cannot be read."""
    if not state:
        return Memory(), ""
    try:
        return Memory.model_validate(state), ""
    except ValidationError:
        return Memory(), f"state is not of version {VERSION}: starting from the positions"
