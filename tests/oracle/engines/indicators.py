"""Indicators written out in pandas, from their definitions: nobody's library but rolling windows."""

import numpy as np
import pandas as pd
from answering import EVERY, answer

DAY_MS = 86_400_000


def wilder(values, length):
    """Return Wilder's average, seeded with the mean of the first `length` known values."""
    known = values.dropna().to_numpy()
    average = np.full(len(values), np.nan)
    current, first = known[:length].mean(), len(values) - len(known) + length - 1
    average[first] = current
    for row in range(first + 1, len(values)):
        current = (current * (length - 1) + values.iloc[row]) / length
        average[row] = current
    return pd.Series(average)


def relative_strength(close, length):
    """Return Wilder's RSI."""
    change = close.diff()
    gains, losses = wilder(change.clip(lower=0), length), wilder(-change.clip(upper=0), length)
    return 100 * gains / (gains + losses)


def true_range(frame):
    """Return the widest of the three distances; none in the first bar."""
    before = frame.close.shift(1)
    ranges = pd.concat([frame.high - frame.low, (frame.high - before).abs(), (frame.low - before).abs()], axis=1)
    return ranges.max(axis=1).where(before.notna())


def session(frame):
    """Return the day's VWAP and its deviation, with the mean taken away before anything is squared."""
    price = (frame.high + frame.low + frame.close) / 3
    mean, deviation = [], []
    for _, day in pd.DataFrame({"p": price, "v": frame.volume}).groupby(frame.opened_ms // DAY_MS):
        for end in range(1, len(day) + 1):
            p, v = day.p.to_numpy()[:end], day.v.to_numpy()[:end]
            mean.append(float((p * v).sum() / v.sum()))
            deviation.append(float(np.sqrt((v * (p - mean[-1]) ** 2).sum() / v.sum())))
    return pd.Series(mean), pd.Series(deviation)


def reply(columns, _):
    """Compute each over the bars."""
    frame = pd.DataFrame(columns)
    close = frame.close
    rsi = relative_strength(close, 14)
    low, high = rsi.rolling(14).min(), rsi.rolling(14).max()
    deviation = close.rolling(20).std(ddof=0)
    vwap, around = session(frame)
    found = {
        "atr14": wilder(true_range(frame), 14),
        "atr20": wilder(true_range(frame), 20),
        "rsi14": rsi,
        "stochastic_rsi": 100 * (rsi - low) / (high - low),
        "sma20": close.rolling(20).mean(),
        "deviation20": deviation,
        "sample_deviation20": close.rolling(20).std(ddof=1),
        "z20": (close - close.rolling(20).mean()) / deviation,
        "upper_band": close.rolling(20).mean() + 2 * deviation,
        "highest55": frame.high.shift(1).rolling(55).max(),
        "lowest55": frame.low.shift(1).rolling(55).min(),
        "vwap": vwap,
        "vwap_deviation": around,
        "kernel": close.rolling(50).apply(gaussian, raw=True),
    }
    return {"first": {name: int(column.first_valid_index()) for name, column in found.items()}} | {
        name: [None if np.isnan(value) else float(value) for value in column.to_numpy()[::EVERY]]
        for name, column in found.items()
    }


def gaussian(window, bandwidth=8.0):
    """Return the Nadaraya-Watson estimate at the end of a window."""
    weights = np.exp(-(np.arange(len(window))[::-1] ** 2) / (2 * bandwidth**2))
    return (window * weights).sum() / weights.sum()


if __name__ == "__main__":
    answer(reply, "pandas")
