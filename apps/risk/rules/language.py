"""The language of rules: Google's Common Expression Language, less what could loop or divide by nothing.

Evaluated by the package common-expression-language, which compiles once and knows no Python. A rule says what must
hold for an order to open: ``notional < 20000.0 && weekday <= 5``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.risk.rules.vocabulary import WORDS, Value
from moondev.domain.errors import InvalidValue

if TYPE_CHECKING:
    from cel import Program

LONGEST = 500
# Everything that takes as long as it is written: no loops over lists, no patterns, no time.
FUNCTIONS = frozenset(
    {
        "_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "_*_", "_/_", "-_", "_?_:_",
        "@in", "in", "_in_", "startsWith", "endsWith", "double", "int",
    }
)  # fmt: skip
_TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_DIVIDES = re.compile(r"/\s*([^\s()&|]+)?")


def require_rule(expression: str) -> None:
    """Raise InvalidValue, naming what is wrong, unless the expression is a rule that can be asked.

    It has to be a sentence in known words that is true or false, whatever their values.
    """
    if not expression.strip() or len(expression) > LONGEST:
        raise InvalidValue("expression", expression[:80], f"a rule of at most {LONGEST} characters")
    program = _compiled(expression)
    unknown = sorted(set(program.variables()) - set(WORDS))
    if unknown:
        raise InvalidValue("expression", ", ".join(unknown), f"only the words {', '.join(WORDS)}")
    foreign = sorted(set(program.functions()) - FUNCTIONS)
    if foreign:
        raise InvalidValue("expression", ", ".join(foreign), "comparisons, &&, ||, !, in, + - * and ? :")
    _require_divisors(expression)
    answer = _tried(expression, {name: word.sample for name, word in WORDS.items()})
    if not isinstance(answer, bool):
        raise InvalidValue("expression", f"{expression[:80]} is {answer!r}", "something that is true or false")


def holds(expression: str, values: Mapping[str, Value]) -> bool:
    """Return whether the rule holds. Raises InvalidValue that says why when it cannot be told."""
    answer = _tried(expression, values)
    if not isinstance(answer, bool):
        raise InvalidValue("rule", f"{answer!r}", "true or false")
    return answer


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Program:
    # The package brings a terminal of its own along: nobody without rules should wait for that.
    import cel  # noqa: PLC0415  only when there are rules

    try:
        return cel.compile(expression)
    except ValueError as error:
        lines = str(error).splitlines()
        raise InvalidValue("expression", expression[:80], f"a sentence of the language: {lines[0][-200:]}") from error


def _tried(expression: str, values: Mapping[str, Value]) -> object:
    try:
        return _compiled(expression).execute(dict(values))
    except (RuntimeError, TypeError, LookupError, ValueError, ArithmeticError) as error:
        if isinstance(error, InvalidValue):
            raise
        words = str(error).split(". ", 1)[0]
        raise InvalidValue("rule", expression[:80], f"known values of one kind: {words}") from error


def _require_divisors(expression: str) -> None:
    for found in _DIVIDES.finditer(_TEXT.sub("''", expression)):
        divisor = found.group(1) or ""
        try:
            zero = float(divisor) == 0
        except ValueError:
            zero = True
        if zero:
            raise InvalidValue("expression", f"/ {divisor}", "division by a number other than 0; multiply instead")
