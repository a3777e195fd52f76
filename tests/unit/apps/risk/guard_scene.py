"""A guard over accounts whose venue says what the test tells it to, a second between two passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.execution.sessions import Session
from apps.exchanges.models import Account, InstrumentRow, Portfolio, Position, TradingState, Transfer, Venue
from apps.exchanges.venue_types import AccountSnapshot, PositionSnapshot
from apps.risk import vetoes
from apps.risk.breakers.load import HostLoad, Look
from apps.risk.breakers.sources import OwnLooks
from apps.risk.facts import load_facts
from apps.risk.guard import Guard
from apps.risk.plausibility import Plausibility
from apps.risk.scope import StrategyScope
from apps.risk.services import seed_limits
from apps.risk.snapshots import Snapshots
from moondev.domain.clock import FixedClock
from moondev.domain.values import Money, Price, SignedQuantity

D = Decimal
NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
CASH = D(90_000)
SIZE = D(10)
CALM = D(1_000)


class Feed:
    """The venue of accounts that hold 10 BTC, long or short, beside 90,000 in cash; it says the mark it is given.

    `at` gives one account a mark of its own. Accounts are told apart by who asks.
    """

    def __init__(self, size: Decimal = SIZE) -> None:
        self.mark, self.size, self.cash = CALM, size, CASH
        self.at: dict[int, Decimal] = {}
        self.fails: Exception | None = None

    def session(self, account_id: int, purpose: str) -> Session:
        return SimpleNamespace(client=SimpleNamespace(account_snapshot=lambda: self.snapshot(account_id)))  # type: ignore[return-value]  a stand-in

    def snapshot(self, account_id: int) -> AccountSnapshot:
        if self.fails is not None:
            raise self.fails
        mark = self.at.get(account_id, self.mark)
        value = self.size * mark
        cash = self.cash + (SIZE - self.size) * CALM
        position = PositionSnapshot(
            "BTC", SignedQuantity(self.size), None, Price(mark), Money(value, "USDC"), Money(D(0), "USDC"), 1
        )
        equity = Money(cash + value, "USDC")
        return AccountSnapshot(equity, equity, Money(D(0), "USDC"), (position,), None, NOW)


class Scene:
    """A guard with every breaker on, whose passes are a second apart."""

    def __init__(self, feed: Feed, clock: FixedClock) -> None:
        self.feed, self.clock, self.own = feed, clock, {}
        self.seconds = 0.0
        self.snapshots = Snapshots(feed, timer=lambda: self.seconds)
        self.next_guard()

    def next_guard(self) -> None:
        """Let another guard take over, which remembers nothing."""
        looks = OwnLooks(HostLoad(lambda: Look(0.0, 0.0, 0.0)))
        self.guard = Guard(
            self.snapshots, lambda row, said, now: equity_mark(row.pk, said, now), self.clock, looks,
            Plausibility(self._own_prices, timer=lambda: self.seconds),
        )  # fmt: skip

    def _own_prices(self, wanted: Iterable[str]) -> dict[str, Price]:
        keys = set(wanted)
        return {key: price for key, price in self.own.items() if key in keys}

    def watch(self, passes: int = 1) -> None:
        for _ in range(passes):
            self.seconds += 1
            self.clock.advance(timedelta(seconds=1))
            self.guard.watch()


@contextmanager
def scene_maker(monkeypatch) -> Iterator:
    """Return a maker of scenes with so many accounts in one portfolio at one venue."""
    monkeypatch.setattr(vetoes, "send", lambda *_, **__: None)
    monkeypatch.setattr(
        vetoes, "redis_nudges", lambda: SimpleNamespace(engage=lambda *_: True, release=lambda *_: True)
    )
    made: list[Scene] = []

    def scene(accounts: int = 1, size: Decimal = SIZE) -> Scene:
        venue = Venue.objects.create(
            code="hyperliquid", protocol="hyperliquid", environment="paper", rest_url="http://x", websocket_url="ws://x"
        )
        portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
        btc = InstrumentRow.objects.create(
            venue=venue, symbol="BTC", asset="BTC", quote="USDC", tick=D("0.1"), lot=D("0.001")
        )
        states = [("portfolio", "paper")]
        for number in range(1, accounts + 1):
            account = Account.objects.create(
                code=f"paper-{number}", venue=venue, portfolio=portfolio, address=f"0x{number}", currency="USDC"
            )
            states.append(("account", account.code))
            Transfer.objects.create(account=account, amount=100_000, at=NOW, reference=f"opening {number}")
            load_facts([StrategyScope(f"turtle-{number}", account.pk, account.code, "paper", "hyperliquid", "USDC", D(100_000), D(1))], NOW)  # fmt: skip  # noqa: E501  one value on one line
            Position.objects.create(
                account=account, strategy=f"turtle-{number}", instrument=btc, quantity=size, cost=size * CALM,
                updated_at=NOW,
            )  # fmt: skip
        for kind, key in states:
            TradingState.objects.create(scope_kind=kind, scope_key=key, mode="active", changed_at=NOW)
        seed_limits("paper", actor="test", now=NOW)
        made.append(Scene(Feed(size), FixedClock(NOW)))
        made[-1].watch(3)
        return made[-1]

    yield scene
    for one in made:
        one.snapshots.close()
