"""What a venue lists, copied into our rows: new instruments added, rules brought up to date, delisted ones put away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from apps.exchanges.models import InstrumentRow, Venue
from apps.exchanges.ports import Listing
from apps.exchanges.registry import market_data_for
from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did, as symbols. `gone` are not listed any more and inactive from now on."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    def __str__(self) -> str:
        """Return the counts, and the names of what is gone."""
        gone = f": {', '.join(self.gone)}" if self.gone else ""
        return f"{len(self.added)} added, {len(self.changed)} changed, {len(self.gone)} gone{gone}"


def instruments_refresh(venue: Venue) -> Refreshed:
    """Read what `venue` lists and bring our rows into line; whether one is traded stays the operator's choice.

    Raises Connectivity when the venue does not answer, Configuration when it may not be reached, and InvalidValue when
    it lists nothing at all, which is an outage and no reason to put everything away.
    """
    client = market_data_for(venue.to_config())
    try:
        listings = client.instruments()
    finally:
        client.close()
    if not listings:
        raise InvalidValue("instruments", f"{venue.code} lists none", "at least one")
    return _into_line(venue, listings)


@transaction.atomic
def _into_line(venue: Venue, listings: Sequence[Listing]) -> Refreshed:
    known = {row.symbol: row for row in InstrumentRow.objects.select_for_update().filter(venue=venue).order_by("pk")}
    listed = {listing.instrument.symbol: listing for listing in listings}
    added = [symbol for symbol in listed if symbol not in known]
    InstrumentRow.objects.bulk_create(
        [InstrumentRow(venue=venue, symbol=symbol, **_rules(listed[symbol])) for symbol in added]
    )
    changed = [symbol for symbol, row in known.items() if symbol in listed and _brought_up(row, listed[symbol])]
    gone = [symbol for symbol, row in known.items() if symbol not in listed and row.active]
    InstrumentRow.objects.filter(venue=venue, symbol__in=gone).update(active=False)
    return Refreshed(tuple(sorted(added)), tuple(sorted(changed)), tuple(sorted(gone)))


def _brought_up(row: InstrumentRow, listing: Listing) -> bool:
    """Save what differs; return whether anything did."""
    rules = _rules(listing)
    different = [name for name, value in rules.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, rules[name])
    if different:
        row.save(update_fields=different)
    return bool(different)


def _rules(listing: Listing) -> dict[str, object]:
    rules = listing.instrument
    return {
        "asset": rules.asset,
        "quote": rules.quote,
        "venue_asset_id": str(listing.venue_asset_id),
        "tick": rules.price_grid.tick,
        "significant_figures": rules.price_grid.significant_figures,
        "lot": rules.lot.value,
        "min_notional": rules.min_notional.value,
        "max_leverage": rules.max_leverage,
        "max_market_quantity": None if rules.max_market_quantity is None else rules.max_market_quantity.value,
    }
