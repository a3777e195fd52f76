"""What a thread of the floor's worker commits, signs and sends."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from apps.exchanges.models import Account, AccountEvent, InstrumentRow, Signer
from apps.exchanges.ports import Credentials, ExecutionClient
from apps.exchanges.registry import client_for
from apps.monitor.demo.paper import PaperAccount
from moondev.domain.clock import milliseconds, process_clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.instruments import Rounding
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Quantity, Side

_MINUTE = timedelta(minutes=1)
# Far enough from the market never to trade, near enough for the venue to take it.
_FAR = Decimal("0.7")
_DOLLARS = 20


class Desk:
    """What one thread signs with: an account of its own, so that no thread waits for another's nonce."""

    def __init__(self, code: str) -> None:
        owner = Account.objects.select_related("venue").order_by("pk").first()
        row = InstrumentRow.objects.get(symbol="BTC")
        assert owner is not None
        paper = PaperAccount(code, Decimal(0))
        credentials = Credentials(paper.address, paper.secret(Signer.Purpose.ORDERS))
        self.owner = owner
        self._client: ExecutionClient = client_for(owner.venue.to_config(), credentials)
        self._instrument, self._nonce = row.to_domain(), 0

    def commit(self, step: str) -> None:
        """Insert one small row and commit it."""
        kind = AccountEvent.Kind.ZOMBIE_ORDER
        AccountEvent.objects.create(account=self.owner, at=process_clock().now(), kind=kind, message=step)

    def request(self) -> None:
        """Sign and send one order, and read the answer."""
        now = process_clock().now()
        self._nonce = max(self._nonce + 1, milliseconds(now))
        self._client.place([RiskApproved(self._order())], self._nonce, now + _MINUTE)

    def _order(self) -> PlaceOrder:
        price = self._instrument.price_grid.rounded(Decimal(100_000) * _FAR, Rounding.DOWN)
        lot = self._instrument.lot.value
        return PlaceOrder(
            uuid4(), self._instrument.key, Side.BUY, OrderType.LIMIT, TimeInForce.IOC,
            Quantity((_DOLLARS / price.value) // lot * lot), price, Purpose.OPENING, "floor", "floor",
        )  # fmt: skip
