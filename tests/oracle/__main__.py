"""``python -m tests.oracle``: ask every engine afresh and hold its answer to the stored one, or store it."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Sequence

from tests.oracle import stored
from tests.oracle.catalogue import QUESTIONS
from tests.oracle.likeness import differences
from tests.oracle.questions import EngineAbsent, EngineFailed, Question, ask
from tests.oracle.series import RecordingAbsent

MOST_DIFFERENCES_SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask what was asked for; return the exit code: 1 when an answer differs, is missing or could not be had."""
    cli = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    cli.add_argument("--only", default="", help="only questions whose name contains this")
    cli.add_argument("--store", action="store_true", help="store the answers in place of the stored ones")
    options = cli.parse_args(arguments)
    asked = [question for question in QUESTIONS if options.only in question.name]
    if not asked:
        cli.error(f"--only is {options.only!r}; the questions are {', '.join(q.name for q in QUESTIONS)}")
    failed = 0
    for question in asked:
        began = time.monotonic()
        said, well = _told(question, store=options.store)
        failed += not well
        sys.stdout.write(f"{question.name:<44} {time.monotonic() - began:6.1f} s  {said}\n")
        sys.stdout.flush()
    sys.stdout.write(f"\n{len(asked)} questions, {failed} not as stored\n")
    return 1 if failed else 0


def _told(question: Question, *, store: bool) -> tuple[str, bool]:
    try:
        given = question.given()
        fresh = ask(question.engine, given)
    except RecordingAbsent as absent:
        return f"skipped: {absent}", True
    except (EngineAbsent, EngineFailed) as failure:
        return f"FAILED: {failure}", False
    if store:
        stored.keep(question, given, fresh)
        return "stored", True
    try:
        kept = stored.answer(question)
    except stored.NeverAsked as reason:
        return f"FAILED: {reason}", False
    found = list(itertools.islice(differences(kept, fresh, question.tolerance), MOST_DIFFERENCES_SHOWN))
    return ("as stored", True) if not found else ("DIFFERS: " + "; ".join(found), False)


if __name__ == "__main__":
    sys.exit(main())
