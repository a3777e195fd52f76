"""What a strategy is: typed parameters, what it needs to see, and one pure decision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from apps.strategies.signals import Past, Rows, Signals, wakes_of
from moondev.domain.desired import Desired
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import MarketView, Needs
from moondev.domain.portfolio import Holding

JSONValue = str | int | float | bool | None | list["JSONValue"] | dict[str, "JSONValue"]
State = Mapping[str, JSONValue]


class Parameters(BaseModel):
    """Base of every parameter model: frozen, and an unknown name is an error, not a typo lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class OwnPosition:
    """What the strategy itself holds, per instrument key, and what it may use.

    `equity` is the allocated capital plus the strategy's own profit, in the account's currency;
    `leverage` the notional it may hold per unit of equity (weight 1 = equity x leverage).
    """

    holdings: Mapping[str, Holding]
    equity: float
    leverage: float

    def holding(self, instrument: str) -> Holding:
        """Return the holding of one instrument; an empty one when there is none."""
        return self.holdings.get(instrument, Holding())


@dataclass(frozen=True, slots=True)
class Decision:
    """What a strategy wants now, and what it must remember.

    An instrument of the strategy that `desired` does not mention is left as it is.
    `state` is stored whole with a version check; `notes` go to the tick report for the operator.
    """

    desired: tuple[Desired, ...]
    state: State = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Strategy(ABC, Generic[P]):
    """One trading idea. Instances are cheap, hold no state and are made anew for each load."""

    name: ClassVar[str]
    parameters: ClassVar[type[Parameters]]
    presets: ClassVar[Mapping[str, Parameters]]

    def ready(self, params: P) -> None:
        """Raise InvalidValue when something that `params` name outside of themselves, a file say, cannot be used.

        Asked where people set a strategy up; a tick goes on without asking, for it may have a position to leave.
        """

    @abstractmethod
    def needs(self, params: P, instruments: tuple[Instrument, ...]) -> Needs:
        """Return the market data this strategy wants to see with `params`."""

    @abstractmethod
    def decide(
        self,
        view: MarketView,
        own: OwnPosition,
        params: P,
        state: State,
        instruments: Mapping[str, Instrument],
    ) -> Decision:
        """Return the desired state. Pure: same arguments, same answer; soft limit 50 ms."""

    def signals(
        self,
        past: Mapping[str, Past],  # noqa: ARG002  those that have columns look at it
        params: P,  # noqa: ARG002  the signature is given
        instruments: Mapping[str, Instrument],  # noqa: ARG002  the signature is given
        leverage: float,  # noqa: ARG002  the signature is given
    ) -> Mapping[str, Signals] | None:
        """Return what `decide` would do over the whole `past`, by instrument key, as columns over its base bars.

        A market that is only watched is left out. None: this strategy's trades are not a function of bars.
        """
        return None

    def wakes(
        self, past: Mapping[str, Past], params: P, instruments: Mapping[str, Instrument], leverage: float
    ) -> Mapping[str, Rows] | None:
        """Return the base bars at whose close `decide` may begin something while it holds and awaits nothing.

        At every other close it then answers as it did before: nothing to do. None: any close may matter.
        """
        columns = self.signals(past, params, instruments, leverage)
        return None if columns is None else wakes_of(columns)
