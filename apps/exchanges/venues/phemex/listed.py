"""What the venue lists, asked for once and kept: the names that orders may carry."""

from __future__ import annotations

from apps.exchanges.ports import Listing
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.phemex import parse
from apps.exchanges.venues.phemex.rest import PhemexRest
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.errors import Connectivity, InvalidValue, NotSent


class Listed:
    """The instruments of one venue row."""

    def __init__(self, venue_code: str, rest: PhemexRest, unreadable: UnreadableRows) -> None:
        """Ask over `rest` when it is needed; what cannot be read goes to `unreadable`."""
        self._venue_code, self._rest, self._unreadable = venue_code, rest, unreadable
        self._symbols: dict[str, str] = {}

    def refresh(self) -> list[Listing]:
        """Return what the venue lists now."""
        # In the reserved lane: a cancel may wait for it.
        text = self._rest.public("v2GetPublicProducts", lane=Lane.RESERVED)
        found = parse.listings(text, self._venue_code)
        self._unreadable.note(found.unreadable)
        self._symbols = {listing.instrument.key: listing.instrument.symbol for listing in found.read}
        return list(found.read)

    def symbol(self, instrument: str) -> str:
        """Return the venue's name of an instrument.

        Raises InvalidValue for one it does not list, NotSent when the list cannot be read: it was only a question, and
        the request it was asked for has not left.
        """
        if instrument not in self._symbols:
            try:
                self.refresh()
            except Connectivity as error:
                raise NotSent(f"the venue's list of instruments cannot be read: {error}") from error
        symbol = self._symbols.get(instrument)
        if symbol is None:
            raise InvalidValue("instrument", instrument, f"an instrument that {self._venue_code} lists")
        return symbol
