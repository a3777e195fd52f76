"""Two-sided quotes around a price that leans against the inventory."""

from __future__ import annotations

from apps.strategies.indicators.realised_volatility import BPS_IN_ONE
from apps.strategies.library.making import avellaneda_stoikov, glft, ladder, risk_aversion
from apps.strategies.library.making.ladder import Width
from apps.strategies.library.making.memory import Market
from apps.strategies.library.making.parameters import MakerParameters
from apps.strategies.library.making.scene import MS_IN_SECOND, Scene
from apps.strategies.library.making.volatility import liveliness
from moondev.domain.desired import Quote, Quotes

# One side's quantity follows mid and equity only beyond this share, else every tick would amend.
UNIT_TOLERANCE = 0.10


def quoted(market: Market, scene: Scene) -> tuple[Market, Quotes, str]:
    """Return the quotes wanted now, the memory after them, and a note when they are pulled."""
    params = scene.params
    lively = liveliness(scene.bars, scene.mid, params.spike_bars, params.min_volatility_bps)
    if lively.spiked(params.spike_multiple):
        until = scene.now_ms + round(params.spike_pause_seconds * MS_IN_SECOND)
        note = f"volatility {lively.recent:.2f} bps after {lively.usual:.2f}: quotes pulled"
        return Market(pause_until_ms=until), pulled(scene), note
    if scene.now_ms < market.pause_until_ms:
        return market, pulled(scene), ""
    unit = _steady_unit(market, scene)
    width = _steady_width(market, scene, wanted_width(scene, unit, lively.usual))
    bids, asks = _side(scene, width, unit, -1), _side(scene, width, unit, +1)
    after = market.but(centre=width.centre, half_bps=width.half_bps, unit=unit)
    note = "" if bids or asks else f"a level of {unit:g} is too small for the venue"
    return after, Quotes(scene.instrument.key, bids, asks, _because(scene, width, unit, lively.usual)), note


def _because(scene: Scene, width: Width, unit: float, sigma: float) -> str:
    """Return in words why the quotes are where they are."""
    lean_bps = (width.centre / scene.mid - 1) * BPS_IN_ONE
    return (
        f"{scene.reason} with {scene.quantity / unit:+.1f} of {scene.params.full_units:g} lots held and volatility of"
        f" {sigma:.1f} bps: centre {lean_bps:+.1f} bps from the mid, half a spread {width.half_bps:.1f} bps"
    )


def pulled(scene: Scene) -> Quotes:
    """Return no quotes at all."""
    return Quotes(scene.instrument.key, (), (), f"{scene.reason}: pulled")


def wanted_width(scene: Scene, unit: float, sigma: float) -> Width:
    """Return centre and half-spread for this inventory and volatility, fees and tick respected."""
    params, full = scene.params, scene.params.full_units
    inventory = max(-full, min(full, scene.quantity / unit))
    shift, half = lean(params, inventory, sigma)
    centre = scene.mid * (1 + shift / BPS_IN_ONE)
    return ladder.floored(Width(centre, half), scene.tick, params.maker_fee_bps)


def lean(params: MakerParameters, inventory: float, sigma: float) -> tuple[float, float]:
    """Return by how much the centre leaves the mid, and the half-spread, both in basis points.

    `inventory` in units, signed; `sigma` in basis points per square root of a second.
    """
    gamma = params.risk_aversion or derived_risk_aversion(params)
    k = params.fill_decay_per_bp
    if params.model == "avellaneda_stoikov":
        horizon = params.horizon_seconds
        shift = avellaneda_stoikov.reservation_price(0.0, inventory, gamma, sigma, horizon)
        return shift, avellaneda_stoikov.spread(gamma, sigma, horizon, k) / 2
    below, above = glft.distances(inventory, gamma, sigma, k, params.fills_per_second)
    return (above - below) / 2, (above + below) / 2


def derived_risk_aversion(params: MakerParameters) -> float:
    """Return gamma such that full inventory moves the quotes as wanted on an ordinary day.

    Risk aversion is the dealer's and stays; so on a livelier day quotes are wider and lean more.
    """
    full, skew, k = params.full_units, params.full_inventory_skew, params.fill_decay_per_bp
    usual = params.reference_volatility_bps
    if params.model == "avellaneda_stoikov":
        return risk_aversion.for_horizon(full, skew, usual, params.horizon_seconds, k)
    return risk_aversion.for_glft(full, skew, usual, k, params.fills_per_second)


def _steady_unit(market: Market, scene: Scene) -> float:
    fresh = scene.unit
    steady = market.unit and abs(market.unit / fresh - 1) <= UNIT_TOLERANCE
    return market.unit if steady else fresh


def _steady_width(market: Market, scene: Scene, wanted: Width) -> Width:
    """Return the width quoted before while the wanted one is nearer than `reprice_bps`."""
    if not market.centre:
        return wanted
    before = Width(market.centre, market.half_bps)
    return before if wanted.distance_bps(before) <= scene.params.reprice_bps else wanted


def _side(scene: Scene, width: Width, unit: float, direction: int) -> tuple[Quote, ...]:
    params = scene.params
    found = ladder.prices(width, params.level_step_half_spreads, len(params.shares), direction)
    # Post-only orders that would trade are refused: one tick short of the other side is the limit.
    limit = scene.ask - scene.tick if direction < 0 else scene.bid + scene.tick
    resting = ladder.behind(found, limit, direction)
    room = unit * params.full_units + direction * scene.quantity
    return ladder.tradable(ladder.sized(resting, params.shares, unit, room), scene.instrument)
