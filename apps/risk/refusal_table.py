"""The table of refusal codes in the documentation, made from the checks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from apps.risk.checks import CHECKS
from moondev.domain.decisions import RefusalCode

START = "<!-- refusal codes: written by `manage.py refusal_codes --write`; do not edit -->"
END = "<!-- end of refusal codes -->"

# Codes that no single check gives.
OF_THE_REVIEW: Mapping[RefusalCode, str] = MappingProxyType(
    {
        RefusalCode.LIMIT_MISSING: "No active limit gives the rule a number; without one nothing opens.",
        RefusalCode.INSTRUMENT_UNKNOWN: "The request names an instrument the strategy does not trade.",
        RefusalCode.ORDER_UNKNOWN: "An amendment names an order that is not working.",
        RefusalCode.LEG_REFUSED: "Another leg of the same trade was refused; one leg by itself is not opened.",
        RefusalCode.CHECK_FAILED: "A check raised an error; the log has it. Openings are refused, exits pass.",
    }
)


def refusal_table() -> str:
    """Return the table in Markdown, one row per code, in the order of the enumeration."""
    lines = ["| code | given by | when | exits too |", "|---|---|---|---|"]
    lines += [_row(code) for code in RefusalCode]
    return "\n".join(lines)


def with_table(page: str) -> str:
    """Return the page with the table between its two markers written anew."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{refusal_table()}\n{END}{after}"


def _row(code: RefusalCode) -> str:
    givers = [check for check in CHECKS if code in check.codes]
    if not givers:
        return f"| `{code}` | the review | {OF_THE_REVIEW[code]} | {_yes_no(binds=code in _REVIEW_BINDS_EXITS)} |"
    names = ", ".join(check.name for check in givers)
    return f"| `{code}` | {names} | {givers[0].codes[code]} | {_yes_no(binds=any(c.binds_reducing for c in givers))} |"


_REVIEW_BINDS_EXITS = frozenset({RefusalCode.INSTRUMENT_UNKNOWN, RefusalCode.ORDER_UNKNOWN})


def _yes_no(*, binds: bool) -> str:
    return "yes" if binds else "no"
