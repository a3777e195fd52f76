"""What is listed, as `/public/products` tells it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.grid import decimal_of
from apps.exchanges.mock.wire.phemex.words import QUOTE, plain, symbol_of
from apps.exchanges.mock.wire.port import Json

_FIRST_CODE = 41_541
_LISTED_MS = 1_668_225_600_000
_FUNDING_SECONDS = 28_800


def products(specs: Iterable[InstrumentSpec]) -> Json:
    """Return the `data` of `/public/products`: no spot and no inverse contracts, perpetuals in USDT."""
    listed = list(specs)
    return {
        "currencies": [_currency(QUOTE, 3), *(_currency(spec.coin, 10 + n) for n, spec in enumerate(listed))],
        "products": [],
        "perpProductsV2": [_perpetual(spec, number) for number, spec in enumerate(listed, 1)],
        "riskLimits": [],
        "leverages": [],
        "riskLimitsV2": [_risk_limits(spec) for spec in listed],
        "leveragesV2": [{"initialMargin": "1.0%", "initialMarginRr": "0.01", "options": [1, 2, 3, 5, 10, 20]}],
        "leverageMargins": [_leverage_margin(spec, number) for number, spec in enumerate(listed, 1)],
        "ratioScale": 8,
        "md5Checksum": "",
    }


def _perpetual(spec: InstrumentSpec, number: int) -> Json:
    symbol, tick = symbol_of(spec.coin), spec.tick or decimal_of(1, spec.price_max_decimals)
    return {
        "symbol": symbol,
        "code": _FIRST_CODE + number,
        "type": "PerpetualV2",
        "displaySymbol": f"{spec.coin} / {QUOTE}",
        "indexSymbol": f".{symbol}",
        "markSymbol": f".M{symbol}",
        "fundingRateSymbol": f".{symbol}FR",
        "fundingRate8hSymbol": f".{symbol}FR8H",
        "contractUnderlyingAssets": spec.coin,
        "settleCurrency": QUOTE,
        "quoteCurrency": QUOTE,
        "baseCurrency": spec.coin,
        "tickSize": plain(tick),
        "priceScale": 0,
        "ratioScale": 8,
        "pricePrecision": max(0, -int(tick.normalize().as_tuple().exponent)),
        "description": f"{spec.coin}/{QUOTE} perpetual contracts, each worth 1 {spec.coin}",
        "status": "Listed",
        "tipOrderQty": 0,
        "listTime": _LISTED_MS,
        "majorSymbol": number == 1,
        "defaultLeverage": "-10",
        "fundingInterval": _FUNDING_SECONDS,
        "maxLeverage": spec.max_leverage,
        "leverageMargin": number,
        "maxOrderQtyRq": "100000",
        "maxPriceRp": "200000000",
        "minOrderValueRv": plain(spec.min_notional),
        "minPriceRp": plain(tick),
        "qtyPrecision": spec.sz_decimals,
        "qtyStepSize": plain(spec.lot),
        "tipOrderQtyRq": "20000",
    }


def _currency(name: str, code: int) -> Json:
    return {
        "currency": name,
        "name": name,
        "code": code,
        "valueScale": 8,
        "minValueEv": 1,
        "maxValueEv": 5_000_000_000_000_000_000,
        "needAddrTag": 0,
        "status": "Listed",
        "displayCurrency": name,
        "inAssetsDisplay": 1,
        "perpetual": 0,
        "stableCoin": int(name == QUOTE),
        "assetsPrecision": 8,
    }


def _risk_limits(spec: InstrumentSpec) -> Json:
    initial = Decimal(1) / spec.max_leverage
    row = {
        "limit": 2_000_000,
        "initialMarginRr": plain(initial.quantize(Decimal("0.0001"))),
        "maintenanceMarginRr": plain((initial / 2).quantize(Decimal("0.0001"))),
    }
    return {"symbol": symbol_of(spec.coin), "steps": "2000K", "riskLimits": [row]}


def _leverage_margin(spec: InstrumentSpec, number: int) -> Json:
    maintenance = Decimal(1) / (2 * spec.max_leverage)
    item = {
        "notionalValueRv": 2_000_000,
        "maxLeverage": spec.max_leverage,
        "maintenanceMarginRateRr": plain(maintenance.quantize(Decimal("0.0001"))),
        "maintenanceAmountRv": "0",
    }
    return {"index_id": number, "items": [item]}
