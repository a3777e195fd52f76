"""An SMA cross in nautilus-trader: market orders of one coin, filled at the close of the bar that decided."""

from decimal import Decimal

import pandas as pd
from answering import answer
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model import BarType, InstrumentId, Money, Price, Quantity, Symbol, Venue
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("BINANCE")
INSTRUMENT = InstrumentId(Symbol("BTCUSDT-PERP"), VENUE)


class Lengths(StrategyConfig, frozen=True):
    """What the cross needs to know."""

    bar_type: BarType
    fast: int
    slow: int


class Cross(Strategy):
    """Long one coin while the fast mean is above the slow one, from the bar on where it gets there."""

    def __init__(self, config):
        super().__init__(config)
        self.fast, self.slow = SimpleMovingAverage(config.fast), SimpleMovingAverage(config.slow)
        self.before = None

    def on_start(self):
        """Ask for the bars."""
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar):
        """Enter or leave on a crossing."""
        if not self.slow.initialized:
            return
        now = self.fast.value - self.slow.value
        before, self.before = self.before, now
        if before is None:
            return
        if before <= 0 < now and self.portfolio.is_flat(INSTRUMENT):
            self._order(OrderSide.BUY)
        elif before >= 0 > now and self.portfolio.is_net_long(INSTRUMENT):
            self._order(OrderSide.SELL)

    def _order(self, side):
        instrument = self.cache.instrument(INSTRUMENT)
        self.submit_order(self.order_factory.market(INSTRUMENT, side, instrument.make_qty(1)))


def perpetual(fee_bps, precision):
    """Return an instrument whose fee is that of the question."""
    fee = Decimal(str(fee_bps)) / 10_000
    return CryptoPerpetual(
        INSTRUMENT, Symbol("BTCUSDT"), BTC, USDT, USDT, False, precision, 3,
        Price(10.0**-precision, precision), Quantity.from_str("0.001"), 0, 0,
        margin_init=Decimal("0.05"), margin_maint=Decimal("0.025"), maker_fee=fee, taker_fee=fee,
    )  # fmt: skip


def bars_of(columns, bar_type, instrument, step_ms):
    """Return the bars, stamped with their closes as nautilus wants them."""
    index = pd.to_datetime(columns["opened_ms"] + step_ms, unit="ms", utc=True)
    frame = pd.DataFrame({name: columns[name] for name in ("open", "high", "low", "close", "volume")}, index=index)
    frame.index.name = "timestamp"
    return BarDataWrangler(bar_type, instrument).process(frame)


def step_of(columns):
    """Return the milliseconds of a bar."""
    return int(columns["opened_ms"][1] - columns["opened_ms"][0])


def engine_of(columns, parameters):
    """Return an engine that is ready to run."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(parameters["initial"], USDT)])
    instrument = perpetual(parameters["fee_bps"], parameters["precision"])
    engine.add_instrument(instrument)
    bar_type = BarType.from_str(f"{INSTRUMENT}-15-MINUTE-LAST-EXTERNAL")
    engine.add_data(bars_of(columns, bar_type, instrument, step_of(columns)))
    engine.add_strategy(Cross(Lengths(bar_type=bar_type, fast=parameters["fast"], slow=parameters["slow"])))
    return engine


def closed_positions(engine):
    """Return the positions that were closed, oldest first."""
    closed = [*engine.cache.position_snapshots(), *engine.cache.positions_closed()]
    return sorted((position for position in closed if position.is_closed), key=lambda position: position.ts_opened)


def reply(columns, parameters):
    """Run it; positions that are open at the end are not among the answer's."""
    engine = engine_of(columns, parameters)
    engine.run()
    closed = closed_positions(engine)
    first_ms, step_ms = int(columns["opened_ms"][0]), step_of(columns)

    def row(stamp_ns):
        return (stamp_ns // 1_000_000 - step_ms - first_ms) // step_ms

    balance = engine.portfolio.account(VENUE).balance_total(USDT)
    found = {
        "entered": [row(p.ts_opened) for p in closed],
        "exited": [row(p.ts_closed) for p in closed],
        "entry_prices": [float(p.avg_px_open) for p in closed],
        "exit_prices": [float(p.avg_px_close) for p in closed],
        "net": [p.realized_pnl.as_double() for p in closed],
        "balance": balance.as_double(),
    }
    engine.dispose()
    return found


if __name__ == "__main__":
    answer(reply, "nautilus_trader", "pandas")
