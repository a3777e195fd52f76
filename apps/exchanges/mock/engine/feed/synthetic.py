"""A seeded synthetic market: the same seed and start give the same market, whatever people do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from apps.exchanges.mock.engine.bars import MINUTE_MS, Bar
from apps.exchanges.mock.engine.feed.flow import Arrival, ArrivalProcess, Flow
from apps.exchanges.mock.engine.feed.ladder import Ladder
from apps.exchanges.mock.engine.feed.process import Climate, PriceProcess, Vector
from apps.exchanges.mock.engine.feed.profiles import Profile, profiles
from apps.exchanges.mock.engine.grid import Grid
from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from moondev.domain.errors import InvalidValue

_BPS = 10_000.0
_GAP_BPS = 1.0
_TAKER_REACH = 0.003
_MIN_HALF_SPREAD, _MAX_HALF_SPREAD = 0.25 / _BPS, 1.5 / _BPS
# Beyond this many steps behind, the market catches up in steps of a second, then gives up.
_MAX_FINE_STEPS = 100
_MAX_COARSE_STEPS = 60
_STEPS_PER_BAR = 60
_SECOND_MS = 1_000
# Spot books change that much less often, and this share of the trades has a twin there.
_SPOT_EVERY_STEPS = 5
_SPOT_SHARE = 0.3
_UPDATES_PER_SECOND, _ALL_UPDATES_PER_SECOND = 50.0, 2_000.0


@dataclass(frozen=True, slots=True)
class SyntheticConfig:
    """What to simulate; `history_bars` counts 1m bars.

    `updates_per_second` are book updates per coin; None means 50, less when there are many coins. `basis_bps` is by
    how much this venue's prices lie above those that the same seed gives elsewhere.
    """

    coins: Sequence[str] = ("BTC", "ETH", "SOL")
    seed: int = 1
    updates_per_second: float | None = None
    history_bars: int = 1_500
    mark_interval_ms: int = 1_000
    basis_bps: float = 0.0
    climate: Climate = field(default_factory=Climate)
    flow: Flow = field(default_factory=Flow)

    def __post_init__(self) -> None:
        """Refuse rates that stand still or cannot be kept."""
        if not 0.1 <= self.update_rate <= 1_000:
            raise InvalidValue("updates_per_second", self.updates_per_second, "0.1 to 1000")
        if not 0 <= self.history_bars <= 100_000:
            raise InvalidValue("history_bars", self.history_bars, "0 to 100000")

    @property
    def update_rate(self) -> float:
        """Return the book updates per second and coin."""
        if self.updates_per_second is not None:
            return self.updates_per_second
        return min(_UPDATES_PER_SECOND, _ALL_UPDATES_PER_SECOND / max(1, len(self.coins)))

    @property
    def step_ms(self) -> int:
        """Return the distance between two book updates."""
        return max(1, round(_SECOND_MS / self.update_rate))


@dataclass(frozen=True, slots=True)
class _Spot:
    """A spot pair that has the price of the coin with this `index`."""

    index: int
    market: Market
    ladder: Ladder


class SyntheticFeed:
    """Moves prices, quotes and trades in fixed steps of run time."""

    def __init__(self, config: SyntheticConfig) -> None:
        """Seed every source of chance by itself, so that none depends on how others are used."""
        self.profiles: tuple[Profile, ...] = profiles(config.coins)
        self._config = config
        streams = np.random.SeedSequence(config.seed).spawn(4)
        prices, trades, history = (np.random.default_rng(stream) for stream in streams[:3])
        self._process = PriceProcess(self.profiles, prices, config.climate)
        self._arrivals = ArrivalProcess(self.profiles, trades, config.flow)
        self._history_rng = history
        self._sizes = Random(int(streams[3].generate_state(1)[0]))  # noqa: S311 - a market, not a secret
        self._house: House | None = None
        self._markets: list[Market] = []
        self._ladders: list[Ladder] = []
        self._spots: list[_Spot] = []
        self._spot_rng = Random(config.seed)  # noqa: S311 - a market, not a secret; apart from the perpetuals' chances
        self._steps = 0
        self._spot_coins: Mapping[str, str] = {}
        self._fair: Vector = np.array([profile.price for profile in self.profiles])
        self._next_ms = self._next_mark_ms = 0
        self._basis = 1 + config.basis_bps / _BPS

    def price_as(self, pairs: Mapping[str, str]) -> None:
        """Drive spot pairs too, each by the price of the coin given with it. Call it before `start`."""
        self._spot_coins = dict(pairs)

    def start(self, house: House, now_ms: int) -> None:
        """Serve the history up to this minute, then open the books."""
        self._house = house
        self._markets = [house.market(profile.coin) for profile in self.profiles]
        self._load_history(house, now_ms)
        for profile, market, fair in zip(self.profiles, self._markets, self._fair.tolist(), strict=True):
            house.start(market, market.grid.nearest(fair))
            rng = Random(self._sizes.random())  # noqa: S311 - a market, not a secret
            self._ladders.append(_ladder(house, profile, market, fair, rng))
        self._open_spots(house)
        self._next_ms = self._next_mark_ms = now_ms
        self._step(now_ms, self._config.step_ms)

    def advance(self, now_ms: int) -> int:
        """Take every step that is due; when far behind, coarser ones, then skip."""
        step_ms = self._config.step_ms
        if (now_ms - self._next_ms) // step_ms > _MAX_FINE_STEPS:
            self._catch_up(now_ms)
        while self._next_ms <= now_ms:
            self._step(self._next_ms, step_ms)
            self._next_ms += step_ms
        return now_ms

    def skip_to(self, now_ms: int) -> None:
        """Go on from `now_ms` at the prices of the last step."""
        self._next_ms = self._next_mark_ms = max(now_ms, self._next_ms)

    def _catch_up(self, now_ms: int) -> None:
        for _ in range(_MAX_COARSE_STEPS):
            if self._next_ms + _SECOND_MS > now_ms:
                return
            self._step(self._next_ms, _SECOND_MS)
            self._next_ms += _SECOND_MS
        self.skip_to(now_ms)

    def _step(self, time_ms: int, step_ms: int) -> None:
        house, seconds = self._desk(), step_ms / _SECOND_MS
        house.at(time_ms)
        self._fair = self._process.block(1, seconds)[-1] * self._basis
        heats = self._process.heat.tolist()
        for index, fair in enumerate(self._fair.tolist()):
            self._quote(self._markets[index], self._ladders[index], index, fair, heats[index])
        arrivals = self._arrivals.step(seconds, self._process.momentum)
        for arrival in arrivals:
            self._take(house, self._markets[arrival.coin], arrival)
        if self._spots:
            self._step_spots(house, heats, arrivals)
        if time_ms >= self._next_mark_ms:
            self._next_mark_ms = time_ms + self._config.mark_interval_ms
            for market, fair in zip(self._markets, self._fair.tolist(), strict=True):
                house.refresh_mark(market, market.grid.nearest(fair))
            for spot in self._spots:
                house.refresh_mark(spot.market, spot.market.grid.nearest(float(self._fair[spot.index])))

    def _open_spots(self, house: House) -> None:
        coins = [profile.coin for profile in self.profiles]
        for pair, coin in self._spot_coins.items():
            index, market = coins.index(coin), house.market(pair)
            profile, fair = self.profiles[index], float(self._fair[index])
            house.start(market, market.grid.nearest(fair))
            rng = Random(self._spot_rng.random())  # noqa: S311 - a market, not a secret
            self._spots.append(_Spot(index, market, _ladder(house, profile, market, fair, rng)))

    def _step_spots(self, house: House, heats: list[float], arrivals: list[Arrival]) -> None:
        self._steps += 1
        if self._steps % _SPOT_EVERY_STEPS == 1:
            for spot in self._spots:
                self._quote(spot.market, spot.ladder, spot.index, float(self._fair[spot.index]), heats[spot.index])
        for arrival in arrivals:
            for spot in self._spots:
                if spot.index == arrival.coin and self._spot_rng.random() < _SPOT_SHARE:
                    self._take(house, spot.market, arrival)

    def _quote(self, market: Market, ladder: Ladder, index: int, fair: float, heat: float) -> None:
        half = self.profiles[index].spread_bps / 2 / _BPS * (0.5 + 0.5 * heat)
        half = min(max(half, _MIN_HALF_SPREAD), _MAX_HALF_SPREAD)
        units, grid = fair * market.grid.price_unit, market.grid
        bid, ask = grid.floor(int(units * (1 - half))), grid.ceil(int(units * (1 + half)) + 1)
        ladder.centre(bid, ask)
        ladder.stir()

    def _take(self, house: House, market: Market, arrival: Arrival) -> None:
        fair = float(self._fair[arrival.coin])
        size = max(1, round(arrival.notional / fair * market.grid.size_unit))
        reach = fair * (1 + _TAKER_REACH if arrival.is_buy else 1 - _TAKER_REACH)
        house.take(market, market.grid.nearest(reach), size, is_buy=arrival.is_buy)

    def _load_history(self, house: House, now_ms: int) -> None:
        first_ms = now_ms - now_ms % MINUTE_MS - self._config.history_bars * MINUTE_MS
        columns: list[list[Bar]] = [[] for _ in self._markets]
        for number in range(self._config.history_bars):
            path = self._process.block(_STEPS_PER_BAR, 60.0 / _STEPS_PER_BAR)
            for index, bar in enumerate(self._bars(first_ms + number * MINUTE_MS, path)):
                columns[index].append(bar)
            self._fair = path[-1]
        for market, bars in zip(self._markets, columns, strict=True):
            house.load(market, "1m", bars)
        coins = [profile.coin for profile in self.profiles]
        for pair, coin in self._spot_coins.items():
            index, market = coins.index(coin), house.market(pair)
            house.load(
                market, "1m", [_regridded(bar, self._markets[index].grid, market.grid) for bar in columns[index]]
            )

    def _bars(self, open_ms: int, path: Vector) -> list[Bar]:
        """Return one bar per coin for a minute of fair prices, with the volume such a minute has."""
        per_minute = self._config.flow.rate * 60.0
        trades = self._history_rng.poisson(per_minute * self._process.heat)
        notional = trades * self._arrivals.mean_notional * self._history_rng.gamma(8.0, 1 / 8.0, len(trades))
        bars = []
        for index, market in enumerate(self._markets):
            near, column = market.grid.nearest, path[:, index]
            first, last = near(float(column[0])), near(float(column[-1]))
            high, low = near(float(column.max())), near(float(column.min()))
            volume = round(float(notional[index] / column[-1]) * market.grid.size_unit)
            bars.append(Bar(open_ms, first, high, low, last, volume, int(trades[index])))
        return bars

    def _desk(self) -> House:
        if self._house is None:
            raise InvalidValue("feed", "not started", "a feed that is attached to an exchange")
        return self._house


def _ladder(house: House, profile: Profile, market: Market, fair: float, rng: Random) -> Ladder:
    units = market.grid.nearest(fair)
    step = market.grid.step_at(units)
    gap = max(step, round(units * _GAP_BPS / _BPS / step) * step)
    depth = profile.depth_notional / fair * market.grid.size_unit
    return Ladder(house, market, gap, depth, rng)


def _regridded(bar: Bar, old: Grid, new: Grid) -> Bar:
    """Return a perpetual's bar in the units of a spot pair, with the spot market's share of the volume."""
    first, high, low, last = (new.nearest(float(old.price(px))) for px in (bar.open, bar.high, bar.low, bar.close))
    volume = round(float(old.size(bar.volume)) * _SPOT_SHARE * new.size_unit)
    return Bar(bar.open_ms, first, high, low, last, volume, bar.trades)
