"""What a halt has to close on one account: positions by owner, and what nobody owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.exchanges.execution.kept import Kept
from apps.exchanges.execution.veto_scope import Held, VetoScope
from apps.exchanges.models import UNASSIGNED, InstrumentRow, ScopeKind, Veto
from apps.exchanges.ports import PositionSnapshot
from moondev.domain.instruments import Instrument
from moondev.domain.values import ZERO, Price, Quantity, Side


@dataclass(frozen=True, slots=True)
class Exit:
    """One position, or part of one, to be closed for its owner; `part` numbers what the venue takes at once.

    `entry` is the venue's average price of the whole position; None when it does not say.
    """

    strategy: str
    instrument_id: int
    instrument: Instrument
    side: Side
    quantity: Decimal
    mark: Price
    entry: Price | None = None
    part: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """Return whose position in what it closes."""
        return self.strategy, self.instrument_id

    def parts(self) -> list[Exit]:
        """Return exits no larger than the venue takes at the market; what is left over is for the next look."""
        cut = self.instrument.market_parts(Quantity(self.quantity))
        return [replace(self, quantity=part.value, part=number) for number, part in enumerate(cut)]

    def __str__(self) -> str:
        """Return what is still to be traded."""
        return f"{self.side.value} {self.quantity.normalize():f} {self.instrument.symbol} of {self.strategy}"


@dataclass(frozen=True, slots=True)
class ToClose:
    """What is to be closed; symbols that are held and not listed here; what stays, because no venue takes so little."""

    exits: tuple[Exit, ...]
    unlisted: tuple[str, ...]
    too_small: tuple[Exit, ...]


class ToBeClosed:
    """Works out what one veto has to close on one account."""

    def __init__(self, veto: Veto, scope: VetoScope, account_id: int) -> None:
        self._veto, self._scope, self._account_id = veto, scope, account_id
        self._kept = Kept(veto)

    def now(self, net: Mapping[str, PositionSnapshot], held: Sequence[Held]) -> ToClose:
        """Return what to close of what the venue says is held (`net`) and the ledger says by whom (`held`).

        To be closed are owners whose side is the account's, up to its net, but for what the veto leaves them; then
        what nobody owns, unless it leaves a part to all. Owners on the other side need no trade: their positions and
        the others' cancel out at the venue.
        """
        listed = self._listed(net)
        left = {symbol: position.quantity.value for symbol, position in net.items()}
        exits: list[Exit] = []
        too_small: list[Exit] = []
        for owner in held:
            open_ = left.get(owner.symbol, ZERO)
            if open_ * owner.quantity <= 0:
                continue
            size = min(abs(open_), abs(owner.quantity))
            left[owner.symbol] = open_ - size * Side.of(open_).sign
            closing = max(size - self._kept.of(self._account_id, owner, size), ZERO)
            if closing and owner.symbol in listed:
                exit_ = _exit(owner.strategy, listed[owner.symbol], net[owner.symbol], closing)
                (too_small if closing < size and self._is_too_small(exit_) else exits).append(exit_)
        if self._scope.kind == ScopeKind.STRATEGY or self._veto.keep_share:
            return ToClose(tuple(exits), (), tuple(too_small))
        unowned = {s: q for s, q in left.items() if q and self._concerns(s)}
        exits += [_exit(UNASSIGNED, listed[s], net[s], abs(q)) for s, q in unowned.items() if s in listed]
        return ToClose(tuple(exits), tuple(sorted(set(unowned) - set(listed))), tuple(too_small))

    def _listed(self, net: Mapping[str, PositionSnapshot]) -> dict[str, InstrumentRow]:
        rows = InstrumentRow.objects.filter(venue_id=self._scope.venue, symbol__in=list(net))
        return {row.symbol: row for row in rows}

    def _concerns(self, symbol: str) -> bool:
        return self._scope.kind != ScopeKind.INSTRUMENT or self._scope.key == f"{self._scope.venue}:{symbol}"

    def _is_too_small(self, exit_: Exit) -> bool:
        """Return whether the venue would refuse a part so small for ever; a whole position it takes at any size."""
        return not exit_.instrument.tradable(Quantity(exit_.quantity), exit_.mark)


def _exit(strategy: str, row: InstrumentRow, position: PositionSnapshot, size: Decimal) -> Exit:
    side = position.quantity.side.opposite
    return Exit(strategy, row.pk, row.to_domain(), side, size, position.mark_price, position.entry_price)
