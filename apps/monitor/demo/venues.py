"""The venues a demo can run: their addresses at the mock exchange, their money, and what kind of keys they want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

from moondev.domain.errors import InvalidValue

ALL = "all"
# The venue of a run that names none, with the full set of strategies.
HOME = "hyperliquid"


class Keys(Enum):
    """How a venue knows who trades."""

    WALLETS = "an owner's wallet appoints one agent wallet per purpose"
    API_KEYS = "one API key with its secret per purpose"
    CHAIN_KEY = "the account's own key on the chain, for every purpose"


@dataclass(frozen=True, slots=True)
class DemoVenue:
    """One venue of the demo: code and protocol in one word, and where the mock exchange speaks it.

    `symbols` are what is traded, by coin; fees are in basis points, as the mock charges them.
    """

    code: str
    rest_path: str
    websocket_path: str
    currency: str
    portfolio: str
    keys: Keys
    symbol: str
    maker_fee_bps: Decimal
    taker_fee_bps: Decimal

    def symbol_of(self, coin: str) -> str:
        """Return the venue's name of a coin's perpetual."""
        return self.symbol.format(coin=coin)


def _venue(code: str, rest: str, websocket: str, money: str, keys: Keys, symbol: str, fees: str) -> DemoVenue:
    maker, taker = fees.split("/")
    portfolio = "paper" if money == "USDC" else f"paper-{money.lower()}"
    return DemoVenue(code, rest, websocket, money, portfolio, keys, symbol, Decimal(maker), Decimal(taker))


VENUES: Mapping[str, DemoVenue] = MappingProxyType(
    {
        venue.code: venue
        for venue in (
            _venue("hyperliquid", "/hl", "/hl/ws", "USDC", Keys.WALLETS, "{coin}", "1.5/4.5"),
            _venue("binance", "/binance", "/binance/fstream", "USDT", Keys.API_KEYS, "{coin}USDT", "2/5"),
            _venue("bybit", "/bybit", "/bybit/v5", "USDT", Keys.API_KEYS, "{coin}USDT", "2/5.5"),
            _venue("phemex", "/phemex", "/phemex/ws", "USDT", Keys.API_KEYS, "{coin}USDT", "1/6"),
            _venue("dydx", "/dydx", "/dydx/v4/ws", "USDC", Keys.CHAIN_KEY, "{coin}-USD", "1/5"),
        )
    }
)


def venues_named(text: str) -> tuple[DemoVenue, ...]:
    """Return the venues of a list such as ``hyperliquid,binance``, or all of them, in the table's order.

    Raises InvalidValue for a name that is not in the table, and for none at all.
    """
    names = list(VENUES) if text == ALL else [name.strip() for name in text.split(",") if name.strip()]
    allowed = f"{ALL}, or some of {', '.join(VENUES)}"
    if not names:
        raise InvalidValue("venues", text, allowed)
    for name in names:
        if name not in VENUES:
            raise InvalidValue("venues", name, allowed)
    return tuple(venue for code, venue in VENUES.items() if code in names)


def codes(venues: Sequence[DemoVenue]) -> list[str]:
    """Return the venues' codes."""
    return [venue.code for venue in venues]
