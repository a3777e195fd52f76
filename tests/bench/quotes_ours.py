"""``python -m tests.bench.quotes_ours KIND columns parameters``: our quote backtest, timed as those of others are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.engines.timed import serve

if TYPE_CHECKING:
    from apps.strategies.backtest.quoting.tape import Tape

Columns = Mapping[str, Any]
Run = Callable[[], int]
SECOND = 1_000_000_000
PHASE_NS = 123_457
MINUTE = timedelta(minutes=1)


def tape_of(columns: Columns) -> Tape:
    """Return the record as a tape."""
    from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
    from apps.strategies.backtest.quoting.events import events_tape
    from apps.strategies.backtest.results import DataSource
    from moondev.domain.instruments import Instrument, PriceGrid
    from moondev.domain.values import Money, Quantity
    from tests.oracle.quoters import LOT, TICK, table_of

    grid, lot = PriceGrid(Decimal(str(TICK))), Quantity(Decimal(str(LOT)))
    instrument = Instrument("made", "BTC", "BTC", "USDT", grid, lot, Money(Decimal(5), "USDT"), 20)
    return events_tape(Dataset("record", Shape.EVENTS, table_of(dict(columns))), instrument, DataSource("record", ""))


def prepare_quoter(columns: Columns, parameters: Mapping[str, Any]) -> Run:
    """Return the run of the plain quoter; the tape's tables are made before, as they serve every run."""
    from apps.strategies.backtest.costs import FREE
    from apps.strategies.backtest.quoting.ear import Ear
    from apps.strategies.backtest.quoting.floor import Floor, Purse, Tables
    from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders
    from apps.strategies.backtest.quoting.queues import RiskAverse
    from apps.strategies.backtest.quoting.session import Session
    from apps.strategies.backtest.quoting.told import Fills
    from tests.support.plain_quoter import PlainQuoter

    tape, case = tape_of(columns), parameters["case"]
    tables, rich = Tables(tape), Purse(Decimal(1_000_000_000), Decimal(20))
    feed, entry, answer = (timedelta(microseconds=case[name] // 1_000) for name in ("feed_ns", "entry_ns", "answer_ns"))

    def run() -> int:
        ear, floor = Ear(tables, ConstantFeed(feed)), Floor(tables, FREE, rich, RiskAverse(), Fills.WHOLE)
        session = Session({tape.key: floor}, {tape.key: ear}, ConstantOrders(entry, answer))
        first = (int(ear.heard_ns[0]) // SECOND + 1) * SECOND + PHASE_NS
        session.run(PlainQuoter(ear, first, case["offset"], case["lots"], parameters["step_ns"]))
        return len(session.fills)

    return run


def prepare_maker(columns: Columns, parameters: Mapping[str, Any]) -> Run:
    """Return the run of the market maker, from tape to result."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "moondev.settings.test"
    import django

    django.setup()
    from apps.strategies.backtest.costs import Costs
    from apps.strategies.backtest.quotes import backtest_quotes
    from apps.strategies.backtest.quoting.assumed import with_assumed_past
    from apps.strategies.backtest.quoting.setting import QuoteMarket, QuoteSetting
    from apps.strategies.orchestrator.loader import load
    from apps.strategies.registry import preset

    loaded = load("market_maker", preset("market_maker", "canonical").model_dump(mode="json"))
    market = with_assumed_past(QuoteMarket(tape_of(columns), Costs(2.0, 5.0)), MINUTE, 64, 0.9)
    setting = QuoteSetting((market,), every=timedelta(microseconds=parameters["step_ns"] // 1_000))
    return lambda: int(backtest_quotes(loaded, setting).figures["fills"])


KINDS = {"quoter": prepare_quoter, "maker": prepare_maker}

if __name__ == "__main__":
    serve(KINDS[sys.argv[1]], sys.argv[2:])
