"""The spot side: its tokens and pairs, what is known about them, and who has what.

A pair is called ``@`` and its index, as at the venue, and its asset number is 10,000 above the index
(https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from apps.exchanges.mock.engine.api import AssetContext, BalanceState, InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.wire.hyperliquid.numbers import wire
from apps.exchanges.mock.wire.hyperliquid.views import QUOTE, Json

FIRST_SPOT_ASSET = 10_000
# Made up and never issued: there is no chain behind the mock.
_SUPPLY = Decimal(21_000_000)
_USDC_DECIMALS = 8


class SpotSide:
    """Tokens and pairs in the venue's order; token 0 is USDC."""

    def __init__(self, exchange: Exchange) -> None:
        """Read the pairs of `exchange`; there may be none."""
        self.pairs: tuple[InstrumentSpec, ...] = exchange.spot_specs()
        self._exchange = exchange
        names = [QUOTE, *dict.fromkeys(spec.base or "" for spec in self.pairs)]
        self.tokens: Mapping[str, int] = {name: index for index, name in enumerate(names)}

    def meta(self) -> Json:
        """Return tokens and pairs, as spotMeta tells them."""
        decimals = {spec.base: spec.sz_decimals for spec in self.pairs}
        universe = [
            {
                "tokens": [self.tokens[spec.base or ""], self.tokens[spec.quote]],
                "name": spec.coin,
                "index": spec.asset_id - FIRST_SPOT_ASSET,
                "isCanonical": False,
            }
            for spec in self.pairs
        ]
        tokens = [_token(name, index, decimals.get(name, _USDC_DECIMALS)) for name, index in self.tokens.items()]
        return {"universe": universe, "tokens": tokens}

    def contexts(self) -> list[Json]:
        """Return what is known about each pair now, in the order of the pairs."""
        return [context(self._exchange.asset_context(spec.coin)) for spec in self.pairs]

    def state(self, user: str) -> Json:
        """Return the balances of an account that exists."""
        return {"balances": [self._balance(entry) for entry in self._exchange.balances(user)]}

    def token_named(self, text: str) -> str | None:
        """Return the token of ``NAME:0xTOKENID``, None when there is none of that name and id."""
        name, _, token_id = text.partition(":")
        index = self.tokens.get(name)
        return name if index is not None and token_id == _token_id(index) else None

    def _balance(self, entry: BalanceState) -> Json:
        return {
            "coin": entry.asset,
            "token": self.tokens[entry.asset],
            "total": wire(entry.total),
            "hold": wire(entry.held),
            "entryNtl": wire(entry.entry_notional),
        }


def context(state: AssetContext) -> Json:
    """Return one pair as spotMetaAndAssetCtxs and activeSpotAssetCtx show it."""
    return {
        "prevDayPx": wire(state.prev_day_px),
        "dayNtlVlm": wire(state.day_notional_volume),
        "markPx": wire(state.mark),
        "midPx": None if state.mid is None else wire(state.mid),
        "circulatingSupply": wire(_SUPPLY),
        "coin": state.coin,
        "totalSupply": wire(_SUPPLY),
        "dayBaseVlm": wire(state.day_base_volume),
    }


def _token(name: str, index: int, size_decimals: int) -> Json:
    return {
        "name": name,
        "szDecimals": size_decimals,
        "weiDecimals": max(size_decimals, _USDC_DECIMALS),
        "index": index,
        "tokenId": _token_id(index),
        "isCanonical": index == 0,
        "evmContract": None,
        "fullName": None,
        "deployerTradingFeeShare": "0.0",
    }


def _token_id(index: int) -> str:
    return f"0x{index:032x}"
