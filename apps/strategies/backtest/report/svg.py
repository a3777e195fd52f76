"""Small still charts as SVG: where the money went, and how values are spread. Colours come from the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.strategies.backtest.numbers import signed, tone_of
from apps.strategies.backtest.report.histogram import Histogram

WIDTH = 640
ROW = 34
LABELS = 92
VALUES = 108


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sum: `amount` is added to what there was, or (`total`) the sum so far is shown from zero."""

    label: str
    amount: float
    text: str
    total: bool = False


def waterfall(steps: Sequence[Step]) -> SafeString:
    """Return steps that lead from the first to the last, each beginning where the one before ended."""
    spans, at = [], 0.0
    for step in steps:
        start, at = (0.0, step.amount) if step.total else (at, at + step.amount)
        spans.append((start, at))
    low, high = min(0.0, *(min(span) for span in spans)), max(0.0, *(max(span) for span in spans))
    scale = (WIDTH - LABELS - VALUES) / ((high - low) or 1.0)
    zero = LABELS - low * scale
    rows = format_html_join(
        "",
        "{}",
        ((_step(at, step, span, zero, scale),) for at, (step, span) in enumerate(zip(steps, spans, strict=True))),
    )
    height = ROW * len(steps)
    return format_html(
        '<svg class="waterfall" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="axis" x1="{}" x2="{}" y1="0" y2="{}"/>{}</svg>',
        WIDTH, height, "; ".join(f"{step.label} {step.text}" for step in steps), _at(zero), _at(zero), height, rows,
    )  # fmt: skip


def bars(spread: Histogram, unit: str, label: str) -> SafeString:
    """Return a histogram with zero and the mean marked; `unit` is written behind the edges."""
    height, foot, most = 180, 22, max(int(spread.counts.max()), 1)
    low, high = float(spread.edges[0]), float(spread.edges[-1])
    scale, slot = WIDTH / (high - low), WIDTH / len(spread.counts)
    columns = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (
                tone_of(float(left + right)), _at(at * slot + 0.5), _at(height - height * count / most),
                _at(max(slot - 1, 0.5)), _at(height * count / most), f"{left:.3g} to {right:.3g}{unit}: {count}",
            )
            for at, (left, right, count) in enumerate(
                zip(spread.edges[:-1].tolist(), spread.edges[1:].tolist(), spread.counts.tolist(), strict=True)
            )
        ),
    )  # fmt: skip
    ticks = format_html_join("", '<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>', (
        (_at((value - low) * scale), height + 16, anchor, signed(f"{value:.3g}{unit}"))
        for value, anchor in ((low, "start"), (0.0, "middle"), (high, "end"))
        if value != 0 or 0.08 * (high - low) < -low < 0.92 * (high - low)
    ))  # fmt: skip
    mean = min(max((spread.mean - low) * scale, 0.0), float(WIDTH))
    return format_html(
        '<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<line class="mean" x1="{}" x2="{}" y1="0" y2="{}"><title>mean {}</title></line>{}</svg>',
        WIDTH, height + foot, label, columns, _at(mean), _at(mean), height, f"{spread.mean:.3g}{unit}", ticks,
    )  # fmt: skip


def _step(at: int, step: Step, span: tuple[float, float], zero: float, scale: float) -> SafeString:
    left, width = zero + min(span) * scale, max(abs(span[1] - span[0]) * scale, 1.0)
    middle = ROW * at + ROW / 2
    return format_html(
        '<text class="label" x="0" y="{0}">{1}</text>'
        '<rect class="{2}" x="{3}" y="{4}" width="{5}" height="{6}" rx="2"/>'
        '<text class="value {2}" x="{7}" y="{0}" text-anchor="end">{8}</text>',
        _at(middle + 5), step.label, f"{tone_of(step.amount)}{' total' if step.total else ''}", _at(left),
        _at(ROW * at + 6), _at(width), ROW - 12, WIDTH, step.text,
    )  # fmt: skip


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
