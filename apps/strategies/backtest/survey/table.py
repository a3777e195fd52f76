"""The table of a survey as Markdown, with what it shows in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from apps.strategies.backtest import numbers
from apps.strategies.backtest.record import RunRecord
from apps.strategies.backtest.survey.cases import Case
from apps.strategies.backtest.survey.run import Outcome
from apps.strategies.backtest.trade_figures import trade_figures
from apps.strategies.backtest.verdict import Tone, doubts, stopped, verdict

_HEAD = (
    "strategy", "preset", "data", "days", "trades", "won", "before costs, bp", "after costs, bp", "gross", "fees",
    "funding", "net", "max drawdown", "Sharpe", "what it shows",
)  # fmt: skip
_LEFT = frozenset({"strategy", "preset", "data", "what it shows"})
# Below this a yearly ratio is arithmetic, not information.
FEWEST_DAYS_FOR_A_RATIO = 30


@dataclass(frozen=True, slots=True)
class Counts:
    """How many runs there were, and how they ended."""

    runs: int
    lost: int
    lost_before_costs: int
    unsure: int
    silent: int
    good: int
    originals: int
    originals_lost: int
    originals_silent: int


def survey_page(outcomes: Sequence[Outcome]) -> str:
    """Return the page: a summary, the table, what was not run and why, and what holds for every line."""
    done = [(one.case, one.record) for one in outcomes if one.record is not None]
    every = [set(doubts(record)) for _, record in done]
    context = {
        "counts": counts(done),
        "table": _table(done),
        "left": [(one.case, recordings(one.case), one.reason) for one in outcomes if one.record is None],
        "common": sorted(set.intersection(*every)) if every else [],
    }
    return render_to_string("backtest/results.md", context)


def counts(done: Sequence[tuple[Case, RunRecord]]) -> Counts:
    """Return how the runs ended."""
    tones = Counter(verdict(record).tone for _, record in done)
    lost = [case.preset for case, record in done if record.metrics.net < 0]
    return Counts(
        runs=len(done),
        lost=len(lost),
        lost_before_costs=sum(record.metrics.gross < 0 for _, record in done),
        unsure=tones[Tone.UNSURE],
        silent=tones[Tone.CALM],
        good=tones[Tone.GOOD],
        originals=sum(case.preset == "original" for case, _ in done),
        originals_lost=lost.count("original"),
        originals_silent=sum(case.preset == "original" and not record.trades for case, record in done),
    )


def recordings(case: Case) -> str:
    """Return the recordings of a case for a reader: venues, instruments and the length of a bar."""
    names = [name.split("_") for name in case.recordings]
    venues = " + ".join(dict.fromkeys(parts[0] for parts in names))
    coins = ", ".join(dict.fromkeys(parts[1] for parts in names))
    return f"{venues} {coins}, {names[0][2]}"


def _table(done: Sequence[tuple[Case, RunRecord]]) -> str:
    rule = ["---" if name in _LEFT else "---:" for name in _HEAD]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (_HEAD, rule, *(_cells(*one) for one in done)))


def _cells(case: Case, record: RunRecord) -> list[str]:
    figures, metrics = trade_figures(record.trades), record.metrics
    shows = " ".join(filter(None, (verdict(record).words, _sentence(stopped(record)))))
    return [
        case.strategy.replace("_", " "),
        case.name,
        recordings(case),
        f"{metrics.days}",
        f"{metrics.trades:,}",
        numbers.percent(figures.win_rate),
        _bare(figures.gross_bps),
        _bare(figures.net_bps),
        numbers.signed_money(metrics.gross, 0),
        numbers.money(-metrics.fees, 0),
        numbers.signed_money(metrics.funding, 0),
        numbers.signed_money(metrics.net, 0),
        numbers.percent(metrics.max_drawdown),
        numbers.ratio(metrics.sharpe if metrics.days >= FEWEST_DAYS_FOR_A_RATIO else None),
        shows,
    ]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _bare(value: float | None) -> str:
    return numbers.basis_points(value).removesuffix(" bp")
