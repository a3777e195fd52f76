"""Play a cascade like that of 2025-10-10 through the real risk code: ``manage.py risk_scenario``."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from apps.risk.scenario.apart import apart
from apps.risk.scenario.holdings import EQUITY, Holdings, Stake, given, present
from apps.risk.scenario.play import play
from apps.risk.scenario.tell import as_json, told
from moondev.commands import PromptCommand
from moondev.domain.errors import TradingError
from moondev.domain.values import finite_decimal

VENUES = "hyperliquid,binance,bybit"


class Command(PromptCommand):
    """Ends with 1 when something grew after it was stopped, or was opened on a price that nobody knew."""

    help = "Play a synthetic cascade, in a database of its own; show what trips, what is refused, lost and left."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day and what is held when it begins."""
        parser.add_argument("--seed", type=int, default=7, help="another seed, another day (default 7)")
        parser.add_argument("--venues", default=VENUES, help=f"codes, any names (default {VENUES})")
        parser.add_argument("--equity", default=str(EQUITY), help=f"at each venue (default {EQUITY})")
        parser.add_argument(
            "--hold", action="append", default=[], metavar="VENUE:COIN=NOTIONAL", help="repeatable; below 0 is short"
        )
        parser.add_argument("--present", action="store_true", help="begin with the positions and equity of our books")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--here", action="store_true", help="play in this very database, which must be empty")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play apart from everything, or `--here`. Raises CommandError for what cannot be played."""
        try:
            if options["here"]:
                self._play(options["seed"], _read(json.load(sys.stdin)), as_data=options["json"])
            else:
                self._play_apart(options, self._holdings(options))
        except (TradingError, DatabaseError) as error:
            raise CommandError(str(error)) from error

    def _holdings(self, options: dict[str, Any]) -> Holdings:
        if options["present"]:
            return present()
        venues = [code.strip() for code in options["venues"].split(",") if code.strip()]
        return given(venues, finite_decimal("equity", options["equity"]), options["hold"])

    def _play_apart(self, options: dict[str, Any], holdings: Holdings) -> None:
        words = [sys.executable, str(settings.BASE_DIR / "manage.py"), "risk_scenario", "--here"]
        words += [f"--seed={options['seed']}", *(["--json"] if options["json"] else [])]
        with apart() as environment:
            spec = json.dumps(asdict(holdings), default=str)
            done = subprocess.run(words, env=environment, input=spec, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.returncode)

    def _play(self, seed: int, holdings: Holdings, *, as_data: bool) -> None:
        # Thousands of orders are refused and hundreds of questions unanswered on such a day; the outcome tells of them.
        logging.disable(logging.CRITICAL)
        call_command("migrate", verbosity=0)
        outcome = play(tuple(holdings.equity), seed, holdings)
        if as_data:
            self.stdout.write(json.dumps(as_json(outcome), default=str, indent=1))
        else:
            self.stdout.write("\n".join(told(outcome)))
        if outcome.growths or outcome.blind:
            raise SystemExit(1)


def _read(spec: dict[str, Any]) -> Holdings:
    """Return the holdings that the process which started this one has written."""
    stakes = (Stake(one["venue"], one["coin"], Decimal(one["notional"])) for one in spec["stakes"])
    return Holdings({venue: Decimal(amount) for venue, amount in spec["equity"].items()}, tuple(stakes))
