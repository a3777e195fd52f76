"""What the Turtle must remember between two ticks because bars and position do not tell it."""

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
    ADDING = "adding"
    CLOSING = "closing"


class Trade(BaseModel):
    """One trade in one market.

    `signal_ms` is the open time of the bar that began it, `bar_ms` of the newest bar already acted
    upon. `n` is N at entry, `unit_quantity` one unit in base units; both stay fixed for the trade.
    `weights` and `fills` have one entry per unit (fills lag behind while a unit is being bought);
    `expected` is the price at the signal, which stands in until there is a fill.
    `base_quantity` and `base_cost` are the holding before the newest unit, `seen_quantity` the
    signed holding at the last tick, `settled` what the holding had realised and paid in fees
    before the trade. `revision` counts how often the position turned out other than planned;
    from then on nothing is added.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phase: Phase
    direction: Literal[-1, 1]
    system: Literal["s1", "s2"]
    signal_ms: int
    bar_ms: int
    n: float = Field(gt=0)
    unit_quantity: float = Field(ge=0)
    weights: tuple[float, ...] = Field(min_length=1)
    fills: tuple[float, ...] = ()
    expected: float = Field(gt=0)
    base_quantity: float = 0.0
    base_cost: float = 0.0
    seen_quantity: float = 0.0
    settled: str = ""
    revision: int = 0
    adopted: bool = False

    @property
    def units(self) -> int:
        """Return the units held or being bought."""
        return len(self.weights)

    @property
    def prices(self) -> tuple[float, ...]:
        """Return what the units were bought at, as far as known."""
        return self.fills or (self.expected,)

    @property
    def weight(self) -> float:
        """Return the signed weight of the whole position."""
        return self.direction * self.weights[-1]

    @property
    def signal_id(self) -> str:
        """Return the name of this size of this trade; a new one for each unit."""
        begun = "adopted" if self.adopted else self.system
        revised = f":r{self.revision}" if self.revision else ""
        return f"{begun}:{self.signal_ms}:{self.units}{revised}"

    def but(self, **changes: object) -> Self:
        """Return this trade with `changes`, checked like any other."""
        return type(self).model_validate({**self.__dict__, **changes})


class Market(BaseModel):
    """One market: its trade, if any; bars up to `after_ms` do not open another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trade: Trade | None = None
    after_ms: int = 0


class Memory(BaseModel):
    """The whole state row. `peak_profit` is the best profit so far, in the account's currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Literal[1] = VERSION
    peak_profit: float = 0.0
    markets: Mapping[str, Market] = Field(default_factory=dict)

    def market(self, instrument: str) -> Market:
        """Return what is known of `instrument`; nothing when it is new."""
        return self.markets.get(instrument, Market())

    def to_state(self) -> State:
        """Return the JSON that `remembered` reads."""
        return cast(State, self.model_dump(mode="json"))


def remembered(state: State) -> tuple[Memory, str]:
    """Return the memory in `state` and an empty note.

    For a state that is empty, malformed or of another version: an empty memory, and for the last
    two a note why. Positions are then adopted as they are found.
    """
    if not state:
        return Memory(), ""
    try:
        return Memory.model_validate(state), ""
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:3])
        return Memory(), f"state is not of version {VERSION} ({fields}): starting from the position"
