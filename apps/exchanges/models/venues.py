"""Venues and what they list."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from apps.exchanges.models.fields import AmountField
from apps.exchanges.ports import Environment as PortEnvironment
from apps.exchanges.ports import VenueConfig
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.values import Money, Quantity

CODE = RegexValidator(r"^[a-z][a-z0-9_-]*$", "lower-case letters, digits, '-' and '_' only")


class Environment(models.TextChoices):
    """Whose money it is. There is no default: silence never means real money."""

    PAPER = "paper", "paper (mock exchange)"
    TESTNET = "testnet", "test network"
    LIVE = "live", "live: real money"


class Venue(models.Model):
    """One place to trade, reached at one pair of addresses.

    `code` is the name everywhere, in queue names too (``orders.<code>``); `protocol` names the
    adapter. A paper venue is the same adapter with the mock exchange's address.
    """

    code = models.CharField(max_length=32, primary_key=True, validators=[CODE])
    protocol = models.CharField(max_length=32)
    environment = models.CharField(max_length=8, choices=Environment)
    rest_url = models.URLField()
    websocket_url = models.CharField(max_length=200)
    maker_fee_bps = models.DecimalField(max_digits=6, decimal_places=3, default=Decimal("1.5"))
    taker_fee_bps = models.DecimalField(max_digits=6, decimal_places=3, default=Decimal("4.5"))
    enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        """Return code and environment."""
        return f"{self.code} ({self.environment})"

    def to_config(self) -> VenueConfig:
        """Return what the adapters need to reach this venue."""
        return VenueConfig(
            code=self.code,
            protocol=self.protocol,
            environment=PortEnvironment(self.environment),
            rest_url=self.rest_url,
            websocket_url=self.websocket_url,
        )


class InstrumentRow(models.Model):
    """An instrument with the venue's rules, refreshed from the venue."""

    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="instruments")
    symbol = models.CharField(max_length=40)
    asset = models.CharField(max_length=20)
    quote = models.CharField(max_length=10)
    venue_asset_id = models.CharField(max_length=40, blank=True)
    tick = AmountField(validators=[MinValueValidator(Decimal("1e-12"))])
    significant_figures = models.PositiveSmallIntegerField(null=True, blank=True)
    lot = AmountField(validators=[MinValueValidator(Decimal("1e-12"))])
    min_notional = AmountField(default=Decimal(0))
    max_leverage = models.PositiveSmallIntegerField(default=1)
    max_market_quantity = AmountField(
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("1e-12"))],
        help_text="The most that one order at the market may ask for; empty: the venue sets no such limit.",
    )
    active = models.BooleanField(default=True)

    class Meta:
        """One row per venue and symbol."""

        db_table = "exchanges_instrument"
        verbose_name = "instrument"
        constraints = [
            models.UniqueConstraint(fields=["venue", "symbol"], name="instrument_once_per_venue"),
            models.CheckConstraint(
                condition=models.Q(tick__gt=0, lot__gt=0, min_notional__gte=0),
                name="instrument_rules_positive",
            ),
        ]

    def __str__(self) -> str:
        """Return the key used everywhere, e.g. ``hyperliquid:BTC``."""
        return self.key

    @property
    def key(self) -> str:
        """Return ``venue:symbol``."""
        return f"{self.venue_id}:{self.symbol}"

    def to_domain(self) -> Instrument:
        """Return the value the trading path works with."""
        return Instrument(
            venue=self.venue_id,
            symbol=self.symbol,
            asset=self.asset,
            quote=self.quote,
            price_grid=PriceGrid(self.tick.normalize(), self.significant_figures),
            lot=Quantity(self.lot.normalize()),
            min_notional=Money(self.min_notional, self.quote),
            max_leverage=self.max_leverage,
            max_market_quantity=None if self.max_market_quantity is None else Quantity(self.max_market_quantity),
        )
