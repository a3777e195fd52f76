"""SMA crosses in vectorbt, timed: from closes to equity and trades."""

import sys

import pandas as pd
import vectorbt as vbt
from timed import serve


def prepare(columns, parameters):
    """Return the run over all pairs at once, which is how vectorbt is fast."""
    opened, close = (pd.Series(columns[name]) for name in ("open", "close"))
    fast, slow = (list(lengths) for lengths in zip(*parameters["pairs"], strict=True))

    def run():
        quick, calm = vbt.MA.run(close, fast, short_name="fast"), vbt.MA.run(close, slow, short_name="slow")
        entries, exits = (signal.vbt.signals.fshift(1) for signal in (
            quick.ma_crossed_above(calm), quick.ma_crossed_below(calm)
        ))  # fmt: skip
        made = vbt.Portfolio.from_signals(
            close, entries, exits, price=opened, size=1.0, fees=parameters["fee_bps"] / 10_000,
            init_cash=parameters["initial"], freq="1min",
        )  # fmt: skip
        made.value()
        return (made.trades.records["status"] == 1).sum()

    return run


if __name__ == "__main__":
    serve(prepare, sys.argv[1:])
