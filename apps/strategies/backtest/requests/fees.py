"""What trading costs where: what one asks for, else the fees of the venue's row, else those of its lowest tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.strategies.backtest.costs import Costs, FixedSlippage, FundingRates
from apps.strategies.backtest.requests.request import BacktestRequest
from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Fees:
    """Maker and taker fee in basis points, and in words where they are from."""

    maker_bps: float
    taker_bps: float
    source: str


LOWEST_TIER = "the venue's lowest tier"
# Published schedules for somebody who trades little, in basis points: maker, taker.
_SCHEDULES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "hyperliquid": (1.5, 4.5),
        "hyperliquid-perp": (1.5, 4.5),
        "binance": (2.0, 5.0),
        "binance-usdm": (2.0, 5.0),
        "binance-coinm": (2.0, 5.0),
        "binance-spot": (10.0, 10.0),
        "bybit": (2.0, 5.5),
        "bybit-linear": (2.0, 5.5),
        "bybit-inverse": (2.0, 5.5),
        "bybit-spot": (10.0, 10.0),
        "okx-swap": (2.0, 5.0),
        "phemex": (1.0, 6.0),
        "dydx": (1.0, 5.0),
        "coinbase-spot": (40.0, 60.0),
    }
)


def fees_of(venue: str, row: Fees | None, request: BacktestRequest) -> Fees:
    """Return the fees at a venue: `row`'s when it has a row, then the schedule; each yields to what was asked for.

    Raises InvalidValue when nobody says what trading costs there: a backtest without fees flatters every strategy.
    """
    asked = (request.maker_bps, request.taker_bps)
    if asked[0] is not None and asked[1] is not None:
        return Fees(asked[0], asked[1], "as asked")
    known = row or _of_schedule(venue)
    if known is None:
        allowed = f"a venue whose fees are known ({', '.join(_SCHEDULES)}), or --maker-bps and --taker-bps"
        raise InvalidValue("fees at", venue, allowed)
    maker = known.maker_bps if asked[0] is None else asked[0]
    taker = known.taker_bps if asked[1] is None else asked[1]
    return Fees(maker, taker, known.source if asked == (None, None) else f"{known.source}, one as asked")


def costs_of(fees: Fees, request: BacktestRequest, funding: FundingRates | None) -> Costs:
    """Return the costs of one market."""
    return Costs(
        maker_bps=fees.maker_bps,
        taker_bps=fees.taker_bps,
        spread_bps=request.spread_bps,
        slippage=FixedSlippage(request.slippage_bps),
        funding=funding,
    )


def _of_schedule(venue: str) -> Fees | None:
    schedule = _SCHEDULES.get(venue)
    return None if schedule is None else Fees(*schedule, LOWEST_TIER)
