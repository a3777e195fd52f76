"""Modes in the colours of traffic lights."""

from __future__ import annotations

from django.utils.html import format_html

from apps.exchanges.models import TradingMode


def mode_badge(mode: str) -> str:
    """Return a mode as a coloured word; safe to put into a page."""
    return format_html('<span class="mode mode-{}">{}</span>', mode, TradingMode(mode).value)
