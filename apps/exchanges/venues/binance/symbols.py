"""Which symbols the venue lists, as far as we have read: so that nothing is sent for what nobody trades."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from apps.exchanges.ports import Listing
from moondev.domain.clock import monotonic
from moondev.domain.errors import Connectivity, InvalidValue, NotSent

# How long what is not in the list stays unasked.
READ_AGAIN_SECONDS = 60.0


class Symbols:
    """The venue's list, read when something is wanted that is not in it."""

    def __init__(self, venue_code: str, read: Callable[[], Sequence[Listing]]) -> None:
        """Take how to ask the venue; nothing is asked before something is wanted."""
        self._prefix, self._read = f"{venue_code}:", read
        self._lots: dict[str, Decimal] = {}
        self._read_at: float | None = None

    def learn(self, listings: Sequence[Listing]) -> None:
        """Take the list as it was just read."""
        self._lots = {listing.instrument.symbol: listing.instrument.lot.value for listing in listings}
        self._read_at = monotonic()

    def symbol(self, instrument: str) -> str:
        """Return the symbol in the key of an instrument, listed or not. Raises InvalidValue for another venue's key."""
        if not instrument.startswith(self._prefix) or instrument == self._prefix:
            raise InvalidValue("instrument", instrument, f"{self._prefix}<symbol>")
        return instrument.removeprefix(self._prefix)

    def listed(self, instrument: str) -> str:
        """Return the symbol in the key of an instrument that the venue lists.

        Raises InvalidValue when it does not, NotSent when the list cannot be read.
        """
        symbol = self.symbol(instrument)
        if symbol not in self._lots and self._is_old():
            try:
                self.learn(self._read())
            except Connectivity as error:
                # It was only a question; the order it was asked for has not left.
                raise NotSent(f"the venue's list of instruments cannot be read: {error}") from error
        if symbol not in self._lots:
            raise InvalidValue("instrument", instrument, "an instrument that the venue lists")
        return symbol

    def lots(self) -> Mapping[str, Decimal]:
        """Return the smallest size of every symbol, asking for the list when it was never read."""
        if self._read_at is None:
            self.learn(self._read())
        return self._lots

    def _is_old(self) -> bool:
        return self._read_at is None or monotonic() - self._read_at > READ_AGAIN_SECONDS
