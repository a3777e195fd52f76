"""Train a filter for a strategy's trades: ``manage.py train_filter STRATEGY``; docs/backtests/optimisation.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.strategies.backtest.requests.setting import prepare
from apps.strategies.library.learned.card import Card
from apps.strategies.library.learned.models import MODELS
from apps.strategies.library.learned.store import folder, save
from apps.strategies.management.idea import add_idea, request_of
from apps.strategies.ml.training import Recipe, train
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import TradingError


class Command(PromptCommand):
    """Learns from a backtest which trades win, judges what was learnt, and keeps it under its content's name."""

    help = "Train a model that lets through the trades of a strategy that are likely to win; print its card."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the strategy, its data, and how to learn."""
        add_idea(parser)
        parser.add_argument("--model", choices=MODELS, default="logistic", help="network needs requirements-ml.txt")
        parser.add_argument("--folds", type=int, default=5, help="stretches of the purged cross-validation")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Train. Raises CommandError when it is refused."""
        try:
            prepared = prepare(request_of(options), Path.cwd())
            recipe = Recipe(options["model"], options["folds"], options["seed"])
            card, model = train(prepared, recipe, process_clock().now())
            artefact = save(card, model, folder())
        except TradingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_told(card, artefact))


def _told(card: Card, artefact: str) -> str:
    scores = card.scores
    lines = [
        f"learnt from {card.trades} trades of {card.kind}, judged by {len(card.folds)} purged folds:",
        *(f"  {name}: {value}" for name, value in scores.items()),
        f"let through from a probability of {card.threshold:.3f} on (break-even of the average win and loss)",
    ]
    if (scores["auc"] or 0) < 0.55:
        lines.append("An AUC this near to 0.5 is chance: the model orders trades hardly better than a coin.")
    lines += [f"artefact: {artefact}", f"use it: a strategy of kind filtered with artefact={artefact}"]
    return "\n".join(lines)
