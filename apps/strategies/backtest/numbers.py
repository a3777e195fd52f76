"""How figures are written: a true minus sign, thousands apart, and a dash for what is undefined."""

from __future__ import annotations

from datetime import datetime

from moondev.domain.clock import from_milliseconds

UNDEFINED = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def money(value: float | None, decimals: int | None = None) -> str:
    """Return an amount; cents only where they matter."""
    if value is None:
        return UNDEFINED
    places = (0 if abs(value) >= 10_000 else 2) if decimals is None else decimals
    return signed(f"{value:,.{places}f}")


def signed_money(value: float | None, decimals: int | None = None) -> str:
    """Return a gain or a loss with its sign."""
    if value is None:
        return UNDEFINED
    return f"+{money(value, decimals)}" if value > 0 else money(value, decimals)


def percent(value: float | None, decimals: int = 1) -> str:
    """Return a fraction as percent."""
    return UNDEFINED if value is None else signed(f"{100 * value:.{decimals}f} %")


def signed_percent(value: float | None, decimals: int = 1) -> str:
    """Return a fraction as percent with its sign."""
    if value is None:
        return UNDEFINED
    return f"+{percent(value, decimals)}" if value > 0 else percent(value, decimals)


def ratio(value: float | None) -> str:
    """Return a ratio with two decimals."""
    return UNDEFINED if value is None else signed(f"{value:.2f}")


def basis_points(value: float | None) -> str:
    """Return basis points with their sign."""
    if value is None:
        return UNDEFINED
    return f"+{value:.1f} bp" if value > 0 else signed(f"{value:.1f} bp")


def duration(hours: float | None) -> str:
    """Return a length of time in the unit that fits it."""
    if hours is None:
        return UNDEFINED
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def moment(stamp_ms: int) -> str:
    """Return a time to the minute, UTC."""
    return f"{_at(stamp_ms):%Y-%m-%d %H:%M}"


def day(stamp_ms: int) -> str:
    """Return a date, UTC."""
    return f"{_at(stamp_ms):%Y-%m-%d}"


def tone_of(value: float | None) -> str:
    """Return the word of the colour of a gain or a loss."""
    if value is None or value == 0:
        return "calm"
    return "good" if value > 0 else "bad"


def _at(stamp_ms: int) -> datetime:
    return from_milliseconds(stamp_ms)


def signed(text: str) -> str:
    """Return a written number with a true minus sign, or none when it is zero as written."""
    # What rounds to nothing has no sign.
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        text = text[1:]
    return text.replace("-", MINUS)
