"""The mock exchange's engine opened for one tape: our orders live in it, and nothing else until they would trade.

The recorded book is not copied into the engine. When an order of ours arrives (or is triggered) that could trade at
once, the recorded levels it could reach are quoted for that moment; when the record trades with a resting order of
ours, the engine's own taker does. Checks, margin, fees, reduce-only, brackets and triggers are the engine's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import EngineConfig, Exchange
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.quoting.tape import Tape
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price

OURS = f"0x{0xB0:040x}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# More figures than any price has: a venue without such a rule.
_NO_RULE_OF_FIGURES = 99
_FEE_STEP = Decimal("0.01")


class TapeClock:
    """The time of the replay, set row by row."""

    def __init__(self, now_ns: int) -> None:
        """Start at `now_ns`."""
        self.now_ns = now_ns

    def now(self) -> datetime:
        """Return the time of the replay, cut to microseconds."""
        return moment(self.now_ns)

    def wall_seconds(self, run_seconds: float) -> float:
        """Return zero: nobody waits in a replay."""
        return 0.0 * run_seconds


def moment(at_ns: int) -> datetime:
    """Return nanoseconds since 1970 as an aware time, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=at_ns // 1_000)


def opened(tape: Tape, costs: Costs, capital: Decimal, leverage: Decimal, clock: TapeClock, mark: Price) -> Exchange:
    """Return an exchange with the tape's one instrument, the costs' fees and an account of ours that holds `capital`.

    Raises InvalidValue for an instrument whose tick and lot the engine cannot represent.
    """
    instrument = tape.instrument
    spec = InstrumentSpec(
        coin=tape.key,
        asset_id=0,
        sz_decimals=_decimals(tape.lot),
        max_leverage=max(instrument.max_leverage, 1),
        sig_figs=instrument.price_grid.significant_figures or _NO_RULE_OF_FIGURES,
        min_notional=instrument.min_notional.value,
        tick=tape.tick,
        quote=instrument.quote,
    )
    fees = EngineConfig(maker_fee_bps=_bps(costs.maker_bps), taker_fee_bps=_bps(costs.taker_bps))
    exchange = Exchange([spec], clock, {tape.key: mark.value}, fees)
    exchange.open_account(OURS, capital)
    highest = min(spec.max_leverage, max(1, int(leverage)))
    exchange.update_leverage(OURS, tape.key, highest, is_cross=True)
    return exchange


def _decimals(lot: Decimal) -> int:
    exponent = lot.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidValue("lot", lot, "a finite number")
    return max(0, -exponent)


def _bps(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(_FEE_STEP, rounding=ROUND_HALF_EVEN)
