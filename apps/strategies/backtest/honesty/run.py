"""Asks the questions of a case, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.deflated_sharpe import deflated_sharpe
from apps.strategies.backtest.honesty.drift import drift
from apps.strategies.backtest.honesty.fees import fees
from apps.strategies.backtest.honesty.look_ahead import look_ahead
from apps.strategies.backtest.honesty.random_entries import random_entries
from apps.strategies.backtest.honesty.stability import stability
from apps.strategies.backtest.honesty.trade_order import trade_order
from apps.strategies.backtest.honesty.walk_forward import walk_forward
from moondev.domain.errors import InvalidValue

CHECKS: Mapping[CheckCode, Callable[[Case], Check]] = MappingProxyType(
    {
        CheckCode.LOOK_AHEAD: look_ahead,
        CheckCode.DRIFT: drift,
        CheckCode.FEES: fees,
        CheckCode.STABILITY: stability,
        CheckCode.WALK_FORWARD: walk_forward,
        CheckCode.TRADE_ORDER: trade_order,
        CheckCode.RANDOM_ENTRIES: random_entries,
        CheckCode.DEFLATED_SHARPE: deflated_sharpe,
    }
)


def run_checks(
    case: Case, codes: Iterable[CheckCode] = tuple(CheckCode), on_check: Callable[[CheckCode], None] | None = None
) -> tuple[Check, ...]:
    """Return the answer to each question, asked in the order of CheckCode whatever that of `codes`.

    `on_check` hears of each before it is asked. Raises InvalidValue when the backtest itself is refused; what only a
    check's own runs refuse leaves that check not judged.
    """
    wanted = set(codes)
    answers = []
    for code in CheckCode:
        if code in wanted:
            if on_check is not None:
                on_check(code)
            answers.append(_asked(case, code))
    return tuple(answers)


def codes_of(text: str) -> tuple[CheckCode, ...]:
    """Return the checks of a list with commas, "all" for all of them. Raises InvalidValue for a name there is not."""
    if text.strip() == "all":
        return tuple(CheckCode)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(CheckCode)]
    if unknown or not names:
        raise InvalidValue("checks", ", ".join(unknown) or text, "all, or some of " + ", ".join(CheckCode))
    return tuple(CheckCode(name) for name in names)


def _asked(case: Case, code: CheckCode) -> Check:
    try:
        return CHECKS[code](case)
    except InvalidValue as refusal:
        # What refuses the backtest itself refuses the question, too.
        _ = case.result
        return case.unanswered(code, f"a run of this check was refused: {refusal}")
