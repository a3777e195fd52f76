"""Where an instrument of a strategy can be traded: at home, and at the venues that stand in for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.exchanges.models import Venue
from apps.risk.facts import RiskFacts
from apps.risk.scope import Fees, StrategyScope
from apps.strategies.models import Routing, StrategyInstrument
from moondev.domain.instruments import Instrument
from moondev.domain.values import Bps


@dataclass(frozen=True, slots=True)
class Outlet:
    """One account on which an instrument can be traded, with what trading there costs."""

    instrument: Instrument
    instrument_id: int
    scope: StrategyScope
    maker_fee: Bps
    taker_fee: Bps

    @property
    def key(self) -> str:
        """Return the instrument's key at this outlet."""
        return self.instrument.key


@dataclass(frozen=True, slots=True)
class Outlets:
    """The outlets of a strategy's instruments that have more than one, by the key at home, home first.

    `down` are the venues that do not answer now, `degraded` those that answer badly; `facts` what the review has to
    know, by key, at each stand-in and at each instrument of the strategy's own that lies on an account abroad.
    """

    routing: Routing
    by_home: Mapping[str, tuple[Outlet, ...]]
    down: Collection[str]
    facts: Mapping[str, RiskFacts]
    degraded: Collection[str] = frozenset()

    @property
    def stand_ins(self) -> list[Outlet]:
        """Return every outlet that is not at home."""
        return [outlet for outlets in self.by_home.values() for outlet in outlets[1:]]

    def usable(self, home: str) -> list[Outlet]:
        """Return the outlets of an instrument whose venues answer, in the order in which they are asked."""
        return [outlet for outlet in self.by_home.get(home, ()) if outlet.instrument.venue not in self.down]

    def first_choice(self, home: str) -> Outlet | None:
        """Return home while it answers, be it badly, else the first stand-in that is well; None when nobody answers.

        Who leaves home at every cough pays twice for each way.
        """
        usable = self.usable(home)
        if usable and usable[0].key == home:
            return usable[0]
        return min(usable, key=self.is_degraded, default=None)

    def is_degraded(self, outlet: Outlet) -> bool:
        """Return whether an outlet's venue answers badly now."""
        return outlet.instrument.venue in self.degraded


NO_OUTLETS = Outlets(Routing.HOME, {}, frozenset(), {})


def outlets_of(
    links: Sequence[StrategyInstrument], home: StrategyScope, routing: Routing
) -> dict[str, tuple[Outlet, ...]]:
    """Return the outlets by the key at home; instruments without a stand-in are left out."""
    if routing is Routing.HOME:
        return {}
    found: dict[str, tuple[Outlet, ...]] = {}
    at_home = {link.instrument_id: link for link in links if link.stands_in_for_id is None}
    for link in sorted((link for link in links if link.stands_in_for_id in at_home), key=lambda link: link.rank):
        origin = at_home[link.stands_in_for_id or 0]
        outlets = found.get(origin.instrument.key) or (_outlet(origin, home),)
        found[origin.instrument.key] = (*outlets, _outlet(link, _scope_at(link, home)))
    return found


def scopes_abroad(links: Sequence[StrategyInstrument], home: StrategyScope) -> dict[str, StrategyScope]:
    """Return whose money orders move in those of a strategy's own instruments that lie on another account."""
    own = (link for link in links if link.stands_in_for_id is None)
    return {link.instrument.key: _scope_at(link, home) for link in own if link.account_id != home.account_id}


def _outlet(link: StrategyInstrument, scope: StrategyScope) -> Outlet:
    venue = link.account.venue
    instrument = link.instrument.to_domain()
    return Outlet(instrument, link.instrument_id, scope, Bps(venue.maker_fee_bps), Bps(venue.taker_fee_bps))


def _scope_at(link: StrategyInstrument, home: StrategyScope) -> StrategyScope:
    account = link.account
    return replace(
        home, account_id=account.pk, account=account.code, venue=account.venue_id, fees=fees_at(account.venue)
    )


def fees_at(venue: Venue) -> Fees:
    """Return what a venue takes, as its row says."""
    return Fees(Bps(venue.maker_fee_bps), Bps(venue.taker_fee_bps))
