"""Strategies that misbehave; imported by the tests and, through their command line, by their tick workers."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

from apps.strategies import registry
from apps.strategies.base import Decision, Parameters
from moondev.domain.desired import Quote, Quotes
from moondev.domain.values import Price, Quantity
from tests.integration.tick_world import Script, Scripted

DUST = Decimal("0.0000001")


class Misbehaving(Scripted):
    """Does what its parameters say, in more ways that are wrong."""

    name: ClassVar[str] = "misbehaving"
    parameters: ClassVar[type[Parameters]] = Script
    presets: ClassVar = MappingProxyType({"plain": Script()})

    def _dust(self, view, own, params, state, keys):
        quote = Quote(Price(Decimal(90_000)), Quantity(DUST))
        return Decision((Quotes(keys[0], (quote,), ()),))

    def _nan_price(self, view, own, params, state, keys):
        return Decision((Quotes(keys[0], (Quote(Price(Decimal("NaN")), Quantity(Decimal(1))),), ()),))

    def _below_zero(self, view, own, params, state, keys):
        return Decision((Quotes(keys[0], (Quote(Price(Decimal(-1)), Quantity(Decimal(1))),), ()),))

    def _too_much(self, view, own, params, state, keys):
        quote = Quote(Price(Decimal(99_000)), Quantity(Decimal(10)))
        return Decision((Quotes(keys[0], (quote,), ()),))

    def _far_off(self, view, own, params, state, keys):
        quote = Quote(Price(Decimal(50_000)), Quantity(Decimal("0.01")))
        return Decision((Quotes(keys[0], (quote,), ()),))


registry._BY_NAME = {**registry._BY_NAME, Misbehaving.name: Misbehaving}
