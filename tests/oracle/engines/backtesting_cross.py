"""An SMA cross in backtesting.py: one coin, long only, market orders."""

import numpy as np
import pandas as pd
from answering import answer, sampled
from backtesting import Backtest, Strategy
from backtesting.lib import crossover


def mean(values, length):
    """Return the moving average."""
    return pd.Series(values).rolling(length).mean()


def frame_of(columns):
    """Return the bars as backtesting.py wants them."""
    index = pd.DatetimeIndex(columns["opened_ms"].astype("datetime64[ms]"))
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({name.capitalize(): columns[name] for name in names}, index=index)


def run_of(columns, parameters):
    """Return what backtesting.py returns of the cross."""

    class Cross(Strategy):
        def init(self):
            self.fast = self.I(mean, self.data.Close, parameters["fast"])
            self.slow = self.I(mean, self.data.Close, parameters["slow"])

        def next(self):
            if crossover(self.fast, self.slow):
                self.buy(size=1)
            elif crossover(self.slow, self.fast):
                self.position.close()

    at_close = parameters["rule"] == "bar close"
    money, fee = parameters["initial"], parameters["fee_bps"] / 10_000
    return Backtest(frame_of(columns), Cross, cash=money, commission=fee, trade_on_close=at_close).run()


def reply(columns, parameters):
    """Run it; trades that are open at the end are not among the answer's."""
    run = run_of(columns, parameters)
    trades, equity = run["_trades"], run["_equity_curve"]["Equity"].to_numpy()
    return {
        "entered": trades["EntryBar"].tolist(),
        "exited": trades["ExitBar"].tolist(),
        "entry_prices": trades["EntryPrice"].tolist(),
        "exit_prices": trades["ExitPrice"].tolist(),
        "net": trades["PnL"].tolist(),
        "equity": sampled(equity),
        "deepest": float((equity / np.maximum.accumulate(equity) - 1).min()),
    }


if __name__ == "__main__":
    answer(reply, "backtesting", "pandas")
