"""The portfolio truth as a table for people, the same in the admin and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from apps.risk.portfolio.figures import Figures
from apps.risk.portfolio.truth import Truth

UNKNOWN = "\N{EN DASH}"
# Realised and unrealised less fees, plus funding, is the net profit; slippage is a part of the first two.
COLUMNS = (
    "equity", "gross exposure", "net exposure", "margin used", "margin free", "realised", "unrealised", "fees",
    "funding", "net profit", "slippage",
)  # fmt: skip


def levels(truth: Truth) -> Mapping[str, Mapping[str, Figures]]:
    """Return the tables of a truth by what their rows are."""
    return {
        "everything": {truth.environment: truth.total},
        "portfolio": truth.portfolios,
        "account": truth.accounts,
        "venue": truth.venues,
        "strategy": truth.strategies,
        "asset": truth.assets,
    }


def cells(figures: Figures) -> list[str]:
    """Return what stands in the columns: two places, a dash for what is not known or does not apply."""
    return [_shown(getattr(figures, name.replace(" ", "_"))) for name in COLUMNS]


def _shown(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{amount:,.2f}"
