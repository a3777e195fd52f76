import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.making import avellaneda_stoikov, glft, risk_aversion

# The paper's example: price 100, sigma 2, horizon 1, gamma 0.1, k 1.5, A 140.
S, SIGMA, T, GAMMA, K, RATE = 100.0, 2.0, 1.0, 0.1, 1.5, 140.0


def test_the_spread_of_the_papers_example() -> None:
    assert avellaneda_stoikov.spread(GAMMA, SIGMA, T, K) == pytest.approx(1.690770, abs=5e-7)


@pytest.mark.parametrize(
    ("inventory", "reservation", "bid", "ask"),
    [(0, 100.0, 99.154615, 100.845385), (1, 99.6, 98.754615, 100.445385), (-3, 101.2, 100.354615, 102.045385)],
)
def test_quotes_of_the_papers_example(inventory: int, reservation: float, bid: float, ask: float) -> None:
    centre = avellaneda_stoikov.reservation_price(S, float(inventory), GAMMA, SIGMA, T)
    half = avellaneda_stoikov.spread(GAMMA, SIGMA, T, K) / 2
    assert centre == pytest.approx(reservation)
    assert centre - half == pytest.approx(bid, abs=5e-7)
    assert centre + half == pytest.approx(ask, abs=5e-7)


@pytest.mark.parametrize(
    ("inventory", "below", "above"), [(0, 0.671244, 0.671244), (1, 0.722961, 0.619527), (2, 0.774678, 0.567809)]
)
def test_distances_without_a_horizon(inventory: int, below: float, above: float) -> None:
    found = glft.distances(inventory, GAMMA, SIGMA, K, RATE)
    assert found == pytest.approx((below, above), abs=1.1e-6)


@given(inventory=st.floats(-10, 10), gamma=st.floats(1e-4, 2), sigma=st.floats(0.01, 5), k=st.floats(0.05, 5))
def test_longs_and_shorts_are_mirrored(inventory: float, gamma: float, sigma: float, k: float) -> None:
    below, above = glft.distances(inventory, gamma, sigma, k, 1.0)
    assert glft.distances(-inventory, gamma, sigma, k, 1.0) == pytest.approx((above, below))
    centre = avellaneda_stoikov.reservation_price(0.0, inventory, gamma, sigma, 60.0)
    assert avellaneda_stoikov.reservation_price(0.0, -inventory, gamma, sigma, 60.0) == pytest.approx(-centre)


@given(sigma=st.floats(0.1, 10), k=st.floats(0.05, 3), rate=st.floats(0.01, 50), units=st.floats(2, 20))
def test_full_inventory_moves_the_quotes_by_the_wanted_half_spreads(
    sigma: float, k: float, rate: float, units: float
) -> None:
    gamma = risk_aversion.for_glft(units, 1.0, sigma, k, rate)
    below, above = glft.distances(units, gamma, sigma, k, rate)
    assert (below - above) / 2 == pytest.approx((below + above) / 2, rel=1e-6)
    gamma = risk_aversion.for_horizon(units, 1.0, sigma, 600.0, k)
    shift = avellaneda_stoikov.reservation_price(0.0, units, gamma, sigma, 600.0)
    assert -shift == pytest.approx(avellaneda_stoikov.spread(gamma, sigma, 600.0, k) / 2, rel=1e-6)


def simulated(gamma: float, leaning: bool, paths: int = 20_000, dt: float = 0.005) -> tuple[float, float, float, float]:
    """Return mean spread, mean and deviation of profit, deviation of final inventory (section 3.3)."""
    rng = np.random.default_rng(1)
    price, cash, held = np.full(paths, S), np.zeros(paths), np.zeros(paths)
    spreads = []
    for step in range(round(T / dt)):
        left = T - step * dt
        spread = avellaneda_stoikov.spread(gamma, SIGMA, left, K)
        spreads.append(spread)
        leaned = held if leaning else np.zeros(paths)
        centre = avellaneda_stoikov.reservation_price(price, leaned, gamma, SIGMA, left)
        bid, ask = centre - spread / 2, centre + spread / 2
        bought = rng.random(paths) < RATE * dt * np.exp(-K * (price - bid))
        sold = rng.random(paths) < RATE * dt * np.exp(-K * (ask - price))
        held += bought.astype(float) - sold
        cash += sold * ask - bought * bid
        price += SIGMA * math.sqrt(dt) * rng.choice((-1.0, 1.0), paths)
    profit = cash + held * price
    return float(np.mean(spreads)), float(profit.mean()), float(profit.std()), float(held.std())


@pytest.mark.parametrize(
    ("gamma", "leaning", "spread", "mean", "deviation", "inventory"),
    [
        (0.1, True, 1.4918, 64.86, 6.52, 2.91),
        (0.1, False, 1.4918, 68.00, 13.24, 8.33),
        (0.01, True, 1.3490, 68.38, 8.92, 5.18),
        (0.01, False, 1.3490, 68.64, 13.67, 8.65),
        (0.5, True, 2.1557, 48.58, 5.93, 1.95),
        (1.0, True, 3.0317, 31.45, 4.81, 1.63),
    ],
)
def test_simulated_profits_are_those_of_the_papers_tables(
    gamma: float, leaning: bool, spread: float, mean: float, deviation: float, inventory: float
) -> None:
    """Mean and deviation within 0.15 at 20,000 paths; the deviation of final inventory too."""
    found = simulated(gamma, leaning)
    assert found[0] == pytest.approx(spread, abs=1e-4)
    assert found[1:] == pytest.approx((mean, deviation, inventory), abs=0.15)
