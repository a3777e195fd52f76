"""SMA crosses on several instruments out of one purse in vectorbt."""

import pandas as pd
import vectorbt as vbt
from answering import answer, sampled
from vectorbt_cross import crosses


def reply(columns, parameters):
    """Run all instruments with shared cash, at next opens."""
    names, pair = parameters["instruments"], parameters["pairs"][0]
    opened, close = (
        pd.DataFrame({name: columns[f"{name}.{column}"] for name in names}) for column in ("open", "close")
    )
    signals = [crosses(close[name], [tuple(pair)]) for name in names]
    entries, exits = (
        pd.concat([both[which][0].rename(name) for both, name in zip(signals, names, strict=True)], axis=1)
        .shift(1, fill_value=False)
        for which in (0, 1)
    )  # fmt: skip
    run = vbt.Portfolio.from_signals(
        close, entries, exits, price=opened, size=1.0, fees=parameters["fee_bps"] / 10_000,
        init_cash=parameters["initial"], group_by=True, cash_sharing=True, freq="5min",
    )  # fmt: skip
    trades = run.trades.records
    return {
        "trades": [int(((trades["col"] == column) & (trades["status"] == 1)).sum()) for column in range(len(names))],
        "equity": sampled(run.value().to_numpy()),
        "deepest": float(run.max_drawdown()),
    }


if __name__ == "__main__":
    answer(reply, "vectorbt", "pandas", "numba")
