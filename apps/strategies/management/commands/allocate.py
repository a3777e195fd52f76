"""Propose capital per strategy, and do it when told to: ``manage.py allocate``.

manage.py allocate paper                                   # propose, show, keep
manage.py allocate paper --method inverse_volatility --most-share 0.3 --budget 50000
manage.py allocate --apply 12 --by ann                     # carry proposal 12 out
manage.py allocate --drop 12 --by ann
"""

from __future__ import annotations

import getpass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.risk.allocation.proposal import Terms
from apps.risk.allocation.weights import AllocationMethod
from apps.risk.models import AllocationProposal
from apps.strategies.allocating import allocation_apply, allocation_drop, allocation_propose
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

USUAL = Terms()


class Command(PromptCommand):
    """Changes nothing unless it is told which proposal to carry out."""

    help = "Propose how to share capital among a portfolio's strategies; carry a proposal out with --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the portfolio and the terms, or the number of a proposal."""
        parser.add_argument("portfolio", nargs="?", default="", help="code of the portfolio")
        parser.add_argument("--method", choices=[str(one) for one in AllocationMethod], default=str(USUAL.method))
        parser.add_argument("--budget", help="what all may have together; default: what they have now")
        parser.add_argument("--most-share", type=float, default=USUAL.most_share)
        parser.add_argument("--damping", type=float, default=USUAL.damping)
        parser.add_argument("--least-change", type=float, default=USUAL.least_change)
        parser.add_argument("--fewest-samples", type=int, default=USUAL.fewest_samples, help="hours known of each")
        parser.add_argument("--apply", type=int, metavar="NUMBER", help="carry this proposal out")
        parser.add_argument("--drop", type=int, metavar="NUMBER", help="put this proposal away")
        parser.add_argument("--by", default="", help="who decides; default: the user of this machine")

    def handle(self, *args: Any, **options: Any) -> None:
        """Propose, apply or drop."""
        actor, now = options["by"] or getpass.getuser(), process_clock().now()
        if options["apply"] and options["drop"]:
            raise CommandError("--apply or --drop, not both")
        try:
            if options["apply"]:
                row = allocation_apply(options["apply"], actor=actor, now=now)
            elif options["drop"]:
                row = allocation_drop(options["drop"], actor=actor, now=now)
            else:
                budget = None if options["budget"] is None else Decimal(options["budget"])
                row = allocation_propose(options["portfolio"], _terms(options), actor=actor, now=now, budget=budget)
        except InvalidOperation as error:
            raise CommandError(f"budget is {options['budget']!r}; allowed: an amount above 0") from error
        except InvalidValue as error:
            raise CommandError(str(error)) from error
        self._print(row)

    def _print(self, row: AllocationProposal) -> None:
        currency = row.portfolio.currency
        self.stdout.write(
            f"proposal {row.pk} for {row.portfolio_id}, {row.status}: {row.budget:,.2f} of {row.equity:,.2f} {currency}"
        )
        self.stdout.write(f"  {'strategy':<24}{'has':>14}{'gets':>14}{'risk':>8}  why")
        for line in row.lines:
            risk = "" if line["risk_share"] is None else f"{line['risk_share']:.0%}"
            has, gets = Decimal(line["before"]), Decimal(line["after"])
            self.stdout.write(f"  {line['strategy'][:23]:<24}{has:>14,.2f}{gets:>14,.2f}{risk:>8}  {line['why']}")
        if row.status == "proposed":
            self.stdout.write(f"nothing was changed; manage.py allocate --apply {row.pk} does it")


def _terms(options: dict[str, Any]) -> Terms:
    return Terms(
        AllocationMethod(options["method"]), options["most_share"], options["damping"], options["least_change"],
        options["fewest_samples"],
    )  # fmt: skip
