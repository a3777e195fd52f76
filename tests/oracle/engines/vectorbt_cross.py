"""SMA crosses in vectorbt: one coin, long only; any number of instruments and parameter pairs at once."""

import numpy as np
import pandas as pd
import vectorbt as vbt
from answering import answer, mean_distance, sampled


def crosses(close, pairs):
    """Return entries and exits, a column for each pair of lengths."""
    distances = pd.DataFrame({number: mean_distance(close.to_numpy(), *pair) for number, pair in enumerate(pairs)})
    before = distances.shift(1)
    return (distances > 0) & (before <= 0), (distances < 0) & (before >= 0)


def portfolio(opened, close, entries, exits, parameters):
    """Return vectorbt's run under the rule that is asked for."""
    if parameters["rule"] == "next open":
        entries, exits, price = entries.shift(1, fill_value=False), exits.shift(1, fill_value=False), opened
    else:
        price = close
    return vbt.Portfolio.from_signals(
        close, entries, exits, price=price, size=1.0, fees=parameters["fee_bps"] / 10_000,
        init_cash=parameters["initial"], freq="15min",
    )  # fmt: skip


def reply(columns, parameters):
    """Run every instrument over every pair; of a single one, the trades are told one by one."""
    found = {}
    for name in parameters["instruments"]:
        prefix = f"{name}." if name else ""
        opened, close = (pd.Series(columns[f"{prefix}{column}"]) for column in ("open", "close"))
        pairs = [tuple(pair) for pair in parameters["pairs"]]
        run = portfolio(opened, close, *crosses(close, pairs), parameters)
        equity, trades = run.value().to_numpy(), run.trades.records
        told = _one if len(pairs) == 1 and not name else _many
        found[name] = told(equity, trades, len(pairs))
    return found.get("") or {"instruments": found}


def _one(equity, trades, _):
    closed = trades[trades["status"] == 1]
    return {
        "entered": closed["entry_idx"].tolist(),
        "exited": closed["exit_idx"].tolist(),
        "entry_prices": closed["entry_price"].tolist(),
        "exit_prices": closed["exit_price"].tolist(),
        "net": closed["pnl"].tolist(),
        "equity": sampled(equity[:, 0]),
        "deepest": float((equity[:, 0] / np.maximum.accumulate(equity[:, 0]) - 1).min()),
    }


def _many(equity, trades, pairs):
    closed = trades[trades["status"] == 1]
    counts = closed.groupby("col").size()
    return {
        "trades": [int(counts.get(column, 0)) for column in range(pairs)],
        "last_exits": [int(closed.loc[closed["col"] == column, "exit_idx"].max()) for column in range(pairs)],
        "final": equity[-1].tolist(),
        "mean": equity.mean(axis=0).tolist(),
        "lowest": equity.min(axis=0).tolist(),
    }


if __name__ == "__main__":
    answer(reply, "vectorbt", "pandas", "numba")
