"""What every command that tries an idea on recorded data takes: the idea, data, money, rules and costs."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from apps.exchanges.market_data.history.spans import moment_of
from apps.strategies.authoring.checking import idea_named
from apps.strategies.backtest.requests.asking import Terms, request_for
from apps.strategies.backtest.requests.request import ENGINES, QUEUES, RULES, BacktestRequest
from apps.strategies.registry import library_names
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue


def add_idea(parser: CommandParser) -> None:
    """Take the idea and everything it is tried with."""
    parser.add_argument("strategy", help="a kind such as turtle_trend, the slug of a strategy, or a file")
    add_terms(parser)


def add_terms(parser: CommandParser) -> None:
    """Take the data, money, rules and costs, and how the idea's parameters differ."""
    _data_arguments(parser)
    _cost_arguments(parser)


def _data_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--data", action="append", default=[], metavar="FILE|lake:VENUE:SYMBOL:INTERVAL",
        help="recorded bars, once per instrument; a strategy of the admin has its own when they are kept",
    )  # fmt: skip
    parser.add_argument("--funding", action="append", default=[], metavar="FILE", help="recorded funding, named alike")
    parser.add_argument("--preset", default="", help="parameters of a kind (default canonical)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one parameter")
    parser.add_argument("--from", dest="start", help="trade from 2025-01-31 on, or 90d ago; what is before is history")
    parser.add_argument("--to", dest="end", help="until then")
    parser.add_argument("--capital", type=float, help="money to begin with (default 100000, or the strategy's)")
    parser.add_argument("--leverage", type=float, help="notional held per unit of equity (default 1)")
    parser.add_argument("--rule", choices=list(RULES), default="next-open", help="where orders fill; default next-open")
    parser.add_argument(
        "--engine", choices=ENGINES, default="auto",
        help="default auto: the fastest that can; quotes: --data are recorded books and trades",
    )  # fmt: skip
    _quote_arguments(parser)


def _quote_arguments(parser: CommandParser) -> None:
    parser.add_argument("--shift-ms", type=float, default=0.0, help="quotes: by which the recorder's clock was behind")
    parser.add_argument("--latency-ms", type=float, default=5.0, help="quotes: to the venue, and back; default 5 each")
    parser.add_argument("--queue", choices=QUEUES, default=QUEUES[0], help="quotes: who withdraws from a queue")
    parser.add_argument(
        "--assumed-bps", type=float, default=0.0,
        help="quotes: make up the bars before the record, of this volatility per square root of a second",
    )  # fmt: skip


def _cost_arguments(parser: CommandParser) -> None:
    parser.add_argument("--maker-bps", type=float, help="fee of a resting order (default the venue's)")
    parser.add_argument("--taker-bps", type=float, help="fee of a market order (default the venue's)")
    parser.add_argument("--spread-bps", type=float, default=0.0, help="whole spread; market orders pay half of it")
    parser.add_argument("--slippage-bps", type=float, default=0.0, help="what market orders lose beyond that")


def request_of(options: dict[str, Any]) -> BacktestRequest:
    """Return what was asked for. Raises Configuration or InvalidValue as `request_for` does."""
    now = process_clock().now()
    terms: Terms = {
        "funding": tuple(options["funding"]),
        "start": moment_of("from", options["start"], now) if options["start"] else None,
        "end": moment_of("to", options["end"], now) if options["end"] else None,
        "rule": options["rule"],
        "engine": options["engine"],
        "maker_bps": options["maker_bps"],
        "taker_bps": options["taker_bps"],
        "spread_bps": options["spread_bps"],
        "slippage_bps": options["slippage_bps"],
        "shift_ms": options["shift_ms"],
        "latency_ms": options["latency_ms"],
        "queue": options["queue"],
        "assumed_bps": options["assumed_bps"],
    }
    if options["capital"] is not None:
        terms["capital"] = options["capital"]
    if options["leverage"] is not None:
        terms["leverage"] = options["leverage"]
    changed = dict(assignment(text) for text in options["set"])
    idea = idea_named(options["strategy"], library_names())
    return request_for(idea, data=options["data"], preset_name=options["preset"], changed=changed, **terms)


def assignment(text: str) -> tuple[str, Any]:
    """Return name and value of ``name=value``; what reads as JSON is what it says, all else is text.

    Raises InvalidValue without a sign or a name.
    """
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InvalidValue("set", text, "NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
