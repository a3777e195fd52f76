"""Entries with a stop and a target in backtesting.py. The levels are given, so that only the fills are in question."""

import numpy as np
from answering import answer, sampled
from backtesting import Backtest, Strategy
from backtesting_cross import frame_of


def reply(columns, parameters):
    """Run it twice: as it ends, and with what is open closed by the engine."""

    class Bracketed(Strategy):
        def init(self):
            self.row = -1

        def next(self):
            row = len(self.data) - 1
            sign = columns["sign"][row]
            if sign == 0 or self.position:
                return
            enter = self.buy if sign > 0 else self.sell
            enter(size=1, sl=columns["stops"][row], tp=columns["targets"][row])

    def run(*, finalize):
        fee = parameters["fee_bps"] / 10_000
        frame = frame_of(columns)
        return Backtest(frame, Bracketed, cash=parameters["initial"], commission=fee, finalize_trades=finalize).run()

    ended = run(finalize=False)
    trades, equity = ended["_trades"], ended["_equity_curve"]["Equity"].to_numpy()
    closed_by_engine = run(finalize=True)["_trades"]
    return {
        "size": np.sign(trades["Size"]).astype(int).tolist(),
        "entered": trades["EntryBar"].tolist(),
        "exited": trades["ExitBar"].tolist(),
        "entry_prices": trades["EntryPrice"].tolist(),
        "exit_prices": trades["ExitPrice"].tolist(),
        "net": trades["PnL"].tolist(),
        "equity": sampled(equity),
        "trades_when_finalized": len(closed_by_engine),
        "last_exit_when_finalized": float(closed_by_engine["ExitPrice"].iloc[-1]),
    }


if __name__ == "__main__":
    answer(reply, "backtesting", "pandas")
