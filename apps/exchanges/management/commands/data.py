"""Market data that is kept: ``manage.py data download|record|check|list``; docs/data.md shows each in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.market_data.history import actions
from apps.exchanges.market_data.history.catalogue import Place
from apps.exchanges.market_data.history.fetch import Span
from apps.exchanges.market_data.history.live import RECORDED
from apps.exchanges.market_data.history.quality.findings import Finding, Severity, worst
from apps.exchanges.market_data.history.series import Kind, interval_of
from apps.exchanges.market_data.history.spans import NOW, Choice, kinds_of, moment_of
from apps.exchanges.market_data.history.terminal import (
    Bars,
    Counter,
    fetched_table,
    findings_table,
    holdings_table,
    recorded_text,
)
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError

DOWNLOADED = (Kind.CANDLES, Kind.TRADES, Kind.FUNDING)


class Command(PromptCommand):
    """Brings, records, checks and lists candles, trades, funding rates, books and marks."""

    help = "Download the past, record the present, check what is kept, list it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and with which data."""
        actions_of = parser.add_subparsers(dest="action", required=True)
        _download_arguments(actions_of.add_parser("download", help="fetch the past of a venue; twice changes nothing"))
        _record_arguments(actions_of.add_parser("record", help="write what happens now, until Ctrl-C"))
        _check_arguments(actions_of.add_parser("check", help="hold what is kept, or files, to the rules"))
        _list_arguments(actions_of.add_parser("list", help="say what is kept, from when to when"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when it is refused or did not wholly succeed."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except TradingError as error:
            raise CommandError(str(error)) from error

    def _download(self, options: dict[str, Any]) -> None:
        clock, bars = process_clock(), Bars()
        with bars.opened():
            done, failed = actions.download(
                _choice(options, DOWNLOADED), _span(options), _places(options), clock, bars.bar, again=options["again"]
            )
        if done:
            self.stdout.write(fetched_table(done))
        if failed:
            raise CommandError("\n".join(f"{failure.key}: {failure.reason}" for failure in failed))

    def _record(self, options: dict[str, Any]) -> None:
        if options["seconds"] is not None and options["seconds"] <= 0:
            raise InvalidValue("for", options["seconds"], "seconds above 0")
        counter = Counter()
        with counter.opened():
            state = actions.record(
                _choice(options, RECORDED), _places(options), process_clock(), options["seconds"], counter.told
            )
        self.stdout.write(recorded_text(state))

    def _check(self, options: dict[str, Any]) -> None:
        interval = interval_of(options["bars"]) if options["bars"] else None
        if options["file"]:
            checked = actions.check_files(options["file"], interval, options["against"])
        elif options["against"]:
            raise InvalidValue("against", str(options["against"]), "a file, beside the files to be checked")
        else:
            checked = actions.check_kept(_choice(options, tuple(Kind)), _span(options), _places(options))
        looked_at, found = 0, list[tuple[str, Finding]]()
        for name, findings in checked:
            looked_at += 1
            found += [(name, finding) for finding in findings]
        if found:
            self.stdout.write(findings_table(found))
        self.stdout.write(f"{looked_at} checked, {len({name for name, _ in found})} with findings")
        bad = worst([finding for _, finding in found])
        if bad is not None and bad >= Severity[options["fail_on"].upper()]:
            raise CommandError(f"the worst finding is of severity {bad.name.lower()}", returncode=1)

    def _list(self, options: dict[str, Any]) -> None:
        found = actions.kept(_choice(options, tuple(Kind)), _places(options))
        self.stdout.write(holdings_table(found) if found else "nothing is kept of that yet")


def _download_arguments(parser: CommandParser) -> None:
    parser.add_argument("--venue", required=True, help="code of the venue, such as hyperliquid")
    parser.add_argument("--symbol", nargs="+", required=True, help="the venue's own names, such as BTC ETH")
    parser.add_argument("--kind", nargs="+", default=["candles"], help="candles (default), trades, funding")
    parser.add_argument("--interval", nargs="+", default=["1m"], help="lengths of candles (default 1m)")
    parser.add_argument("--from", dest="start", required=True, help="2025-01-31, 2025-01-31T12:00, or 90d for ago")
    parser.add_argument("--to", dest="end", default=NOW, help="as --from; default now")
    parser.add_argument("--again", action="store_true", help="ask for trades and rates that were asked for before, too")
    _place_argument(parser)


def _record_arguments(parser: CommandParser) -> None:
    parser.add_argument("--venue", required=True, help="code of the venue, such as hyperliquid")
    parser.add_argument("--symbol", nargs="+", required=True, help="the venue's own names, such as BTC ETH")
    kinds = [kind.value for kind in RECORDED]
    parser.add_argument("--kind", nargs="+", default=kinds, help=f"default all: {', '.join(kinds)}")
    parser.add_argument("--interval", nargs="+", default=["1m"], help="lengths of candles (default 1m)")
    parser.add_argument("--for", dest="seconds", type=float, help="stop after so many seconds")
    _place_argument(parser)


def _check_arguments(parser: CommandParser) -> None:
    parser.add_argument("file", nargs="*", type=Path, help="files to check (parquet, feather, csv); none: what is kept")
    parser.add_argument("--against", type=Path, help="a file of the same asset, to find shifts and other currencies")
    parser.add_argument("--bars", help="length of the files' bars when neither name nor rows tell it, such as 1h")
    parser.add_argument("--from", dest="start", help="check from here on; default everything")
    parser.add_argument("--to", dest="end", default=NOW, help="default now")
    severities = [severity.name.lower() for severity in Severity]
    parser.add_argument(
        "--fail-on", choices=severities, default="warning", help="exit with 1 from this severity on (default warning)"
    )
    _choice_arguments(parser)


def _list_arguments(parser: CommandParser) -> None:
    _choice_arguments(parser)


def _choice_arguments(parser: CommandParser) -> None:
    parser.add_argument("--venue", help="only this venue's")
    parser.add_argument("--symbol", nargs="+", default=[], help="only these")
    parser.add_argument("--kind", nargs="+", default=[], help=f"only these: {', '.join(Kind)}")
    parser.add_argument("--interval", nargs="+", default=[], help="only candles of these lengths")
    _place_argument(parser)


def _place_argument(parser: CommandParser) -> None:
    places = [place.value for place in Place]
    parser.add_argument("--in", dest="places", nargs="+", choices=places, default=places, help="default both")


def _choice(options: dict[str, Any], allowed: tuple[Kind, ...]) -> Choice:
    intervals = [interval_of(text) for text in options["interval"]]
    return Choice(options["venue"], options["symbol"], kinds_of(options["kind"], allowed), intervals)


def _span(options: dict[str, Any]) -> Span:
    now = process_clock().now()
    start = actions.EVERYTHING.start if options["start"] is None else moment_of("from", options["start"], now)
    return Span(start, moment_of("to", options["end"], now))


def _places(options: dict[str, Any]) -> list[Place]:
    return [Place(place) for place in options["places"]]
