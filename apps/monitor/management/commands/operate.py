"""What an operator does by hand, from the command line: ``operate strategy|order|position|limit|desk …``."""

from __future__ import annotations

import getpass
import socket
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.models import Account, InstrumentRow, Order
from apps.monitor.audit.acting import acting
from apps.risk.services import limit_set
from apps.strategies import services
from apps.strategies.by_hand.cancelling import order_cancel
from apps.strategies.by_hand.desks import owner_of
from apps.strategies.by_hand.placing import Ticket, order_place
from apps.strategies.by_hand.taking import position_return, position_take
from apps.strategies.models import Desk, StrategyRow
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue, TradingError
from moondev.domain.orders import OrderStatus, TimeInForce
from moondev.domain.values import Price, Quantity, Side, finite_decimal


class Command(PromptCommand):
    """Ends with 0 only when what was asked for is done. Halting is `kill_switch`'s, stages are `promotion`'s."""

    help = "Run and stop strategies, place and cancel orders, take positions over, change limits: as the API does."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do with what."""
        subjects = parser.add_subparsers(dest="subject", required=True)
        strategy = _subject(subjects, "strategy", "enable, disable, pause or resume a strategy, or have it decide now")
        strategy.add_argument("deed", choices=["enable", "disable", "pause", "resume", "tick"])
        strategy.add_argument("name", help="its slug")
        place = _subject(subjects, "place", "place an order by hand; without --price at the market")
        place.add_argument("side", choices=list(Side))
        place.add_argument("quantity")
        place.add_argument("instrument", help="its key, such as hyperliquid:BTC")
        place.add_argument("--account", required=True)
        for name in ("--price", "--stop", "--take-profit"):
            place.add_argument(name)
        place.add_argument("--time-in-force", choices=list(TimeInForce), default=TimeInForce.GTC)
        _subject(subjects, "cancel", "cancel an order, whoever's it is").add_argument("order", type=int, help="its id")
        for name, words in (
            ("take", "take a position over from a strategy, which is paused"),
            ("return", "give a position back to its strategy"),
        ):
            handover = _subject(subjects, name, words)
            handover.add_argument("name", help="the strategy's slug")
            handover.add_argument("instrument", help="its key, such as hyperliquid:BTC")
        limit = _subject(subjects, "limit", "set a limit; it binds the next tick of every worker")
        limit.add_argument("kind")
        limit.add_argument("scope", help="everything, or kind:key")
        limit.add_argument("value")
        limit.add_argument("--off", action="store_true", help="switch it off")
        desk = _subject(subjects, "desk", "say what orders by hand on an account may risk")
        desk.add_argument("account")
        desk.add_argument("capital")
        desk.add_argument("--leverage", default="1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, in the operator's name. Raises CommandError when it is not done."""
        actor = f"{getpass.getuser()}@{socket.gethostname()}"
        try:
            with acting(actor, reason=options["reason"]):
                self.stdout.write(getattr(self, f"_{options['subject']}")(options, actor))
        except TradingError as error:
            raise CommandError(str(error)) from error
        except Order.DoesNotExist as error:
            raise CommandError(f"there is no order {options['order']}") from error

    def _strategy(self, options: dict[str, Any], actor: str) -> str:
        row, now, deed = _strategy(options["name"]), process_clock().now(), options["deed"]
        if deed == "tick":
            return f"made {row.slug} due: tick {services.tick_now(row.pk, actor=actor).pk}"
        if deed == "pause":
            services.strategy_pause(row.pk, reason=options["reason"], actor=actor, now=now)
        else:
            getattr(services, f"strategy_{deed}")(row.pk, actor=actor, now=now)
        return f"{row.slug}: {deed}d"

    def _place(self, options: dict[str, Any], actor: str) -> str:
        ticket = Ticket(
            client_order_id=uuid4(),
            side=Side(options["side"]),
            quantity=Quantity(finite_decimal("quantity", options["quantity"])),
            price=_price("price", options["price"]),
            time_in_force=TimeInForce(options["time_in_force"]),
            stop=_price("stop", options["stop"]),
            take_profit=_price("take-profit", options["take_profit"]),
        )
        account, instrument = _account(options["account"]), _instrument(options["instrument"])
        rows = order_place(ticket, account=account, instrument=instrument, reason=options["reason"], actor=actor)
        if all(row.status == OrderStatus.REFUSED for row in rows):
            raise CommandError("; ".join(row.reason for row in rows))
        return "\n".join(f"order {row.pk}: {row.side} {row.quantity.normalize():f} {row.status}" for row in rows)

    def _cancel(self, options: dict[str, Any], actor: str) -> str:
        order = order_cancel(options["order"], reason=options["reason"], actor=actor)
        return f"order {order.pk} is {order.status}; its cancel is on its way"

    def _take(self, options: dict[str, Any], actor: str) -> str:
        instrument = _instrument(options["instrument"])
        held = position_take(
            strategy=options["name"], instrument=instrument, reason=options["reason"], actor=actor,
            now=process_clock().now(),
        )  # fmt: skip
        return f"by hand now: {held.quantity.normalize():f} {instrument.key}; {options['name']} is paused"

    def _return(self, options: dict[str, Any], actor: str) -> str:
        instrument = _instrument(options["instrument"])
        held = position_return(
            strategy=options["name"], instrument=instrument, reason=options["reason"], actor=actor,
            now=process_clock().now(),
        )  # fmt: skip
        return f"{options['name']} holds {held.quantity.normalize():f} {instrument.key}"

    def _limit(self, options: dict[str, Any], actor: str) -> str:
        kind, _, key = options["scope"].partition(":")
        limit = limit_set(
            kind=options["kind"],
            scope_kind=kind,
            scope_key=key or "*",
            value=finite_decimal("value", options["value"]),
            active=not options["off"],
            actor=actor,
            now=process_clock().now(),
        )
        return f"{limit}{'' if limit.active else ' (off)'}, version {limit.version}"

    def _desk(self, options: dict[str, Any], actor: str) -> str:
        capital, leverage = (finite_decimal(name, options[name]) for name in ("capital", "leverage"))
        if capital < 0 or leverage <= 0:
            raise InvalidValue("capital", f"{capital} at leverage {leverage}", "0 or more, at a leverage above 0")
        account = _account(options["account"])
        desk, _ = Desk.objects.update_or_create(account=account, defaults={"capital": capital, "leverage": leverage})
        return f"{desk}, traded by hand as {owner_of(account)}"


def _subject(subjects: Any, name: str, words: str) -> ArgumentParser:
    parser: ArgumentParser = subjects.add_parser(name, help=words)
    parser.add_argument("--reason", required=True, help="why, for the record")
    return parser


def _price(field: str, text: str | None) -> Price | None:
    return None if text is None else Price(finite_decimal(field, text))


def _strategy(slug: str) -> StrategyRow:
    row = StrategyRow.objects.filter(slug=slug).first()
    if row is None:
        raise InvalidValue("strategy", slug, _names(StrategyRow.objects.values_list("slug", flat=True)))
    return row


def _account(code: str) -> Account:
    row = Account.objects.select_related("venue").filter(code=code).first()
    if row is None:
        raise InvalidValue("account", code, _names(Account.objects.values_list("code", flat=True)))
    return row


def _instrument(key: str) -> InstrumentRow:
    venue, _, symbol = key.partition(":")
    row = InstrumentRow.objects.filter(venue=venue, symbol=symbol).first()
    if row is None:
        raise InvalidValue("instrument", key, "a key such as hyperliquid:BTC")
    return row


def _names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "there is none yet"
