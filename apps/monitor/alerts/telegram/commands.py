"""What may be said, who may say it, and what is done then: the same services as in API, admin and command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from apps.monitor.alerts.services import alert_acknowledge
from apps.monitor.alerts.telegram import looking
from apps.monitor.alerts.telegram.codes import LIFE, code_create, code_use
from apps.monitor.models import TelegramUser
from apps.risk.stopping import TradingMode, engage, parse_scope
from apps.risk.stopping import status as halts
from apps.strategies import services
from apps.strategies.models import StrategyRow
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

FLATTEN = "flatten"
LONGEST_REASON = 250
# Digits of an alert's number; more than any has.
LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Said:
    """One command: who said it where, when it arrived, and what stands behind its name."""

    person: TelegramUser
    chat: int
    at: datetime
    words: tuple[str, ...]

    @property
    def actor(self) -> str:
        """Return whose name stands in the trail."""
        return self.person.user.get_username()

    def first(self, what: str) -> str:
        """Return the first word. Raises InvalidValue naming `what` it should be."""
        if not self.words:
            raise InvalidValue(what, "", "write it behind the command; help shows how")
        return self.words[0][:100]

    def reason(self, skipped: int = 1) -> str:
        """Return the words behind the first as a reason; without any, that it came from here."""
        return " ".join(self.words[skipped:])[:LONGEST_REASON] or "by Telegram"


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how it is written, who may (one of these permissions), what it does, whether it changes anything."""

    usage: str
    permissions: tuple[str, ...]
    act: Callable[[Said], str]
    changes: bool = False


def may(person: TelegramUser, command: Command) -> bool:
    """Return whether a person's role lets him do it."""
    return not command.permissions or any(person.user.has_perm(name) for name in command.permissions)


def help_text(said: Said) -> str:
    """Return the commands that this person may give."""
    return "\n".join(command.usage for command in COMMANDS.values() if may(said.person, command))


def _pause(said: Said) -> str:
    row = _strategy(said)
    services.strategy_pause(row.pk, reason=said.reason(), actor=said.actor, now=process_clock().now())
    return f"{row.slug} is paused; its orders are being cancelled"


def _resume(said: Said) -> str:
    row = _strategy(said)
    resumed = services.strategy_resume(row.pk, actor=said.actor, now=process_clock().now())
    return f"{row.slug} goes on" if resumed.enabled else f"{row.slug} is no longer paused, and still disabled"


def _kill(said: Said) -> str:
    """Check the scope and hand out a code; nothing is stopped yet."""
    scope = said.first("scope")
    parse_scope(scope)
    flatten = said.words[1:2] == (FLATTEN,)
    code = code_create(
        said.person, chat=said.chat, scope=scope, flatten=flatten, reason=said.reason(1 + flatten), now=said.at
    )
    done = "halt it and close its positions" if flatten else "halt it"
    return f"{scope}: confirm {code} within {LIFE.seconds} seconds to {done}"


def _confirm(said: Said) -> str:
    asked = code_use(said.person, said.first("code"), chat=said.chat, now=said.at)
    engaged = engage(
        scope=parse_scope(asked.scope), mode=TradingMode.HALTED, flatten=asked.flatten, reason=asked.reason,
        actor=said.actor, now=process_clock().now(),
    )  # fmt: skip
    unreached = f"; not reached: {', '.join(engaged.unreached)}" if engaged.unreached else ""
    return f"{asked.scope} is halted; {len(halts().unfinished)} venues are being cleared{unreached}"


def _acknowledge(said: Said) -> str:
    number = said.first("alert")
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        raise InvalidValue("alert", number, "its number, as status shows it")
    alert = alert_acknowledge(alert_id=int(number), actor=said.actor, reason=said.reason(), now=process_clock().now())
    return f"acknowledged: {alert.title}"


def _strategy(said: Said) -> StrategyRow:
    slug = said.first("strategy")
    row = StrategyRow.objects.filter(slug=slug).first()
    if row is None:
        raise InvalidValue("strategy", slug, "the name of one, as status shows it")
    return row


# Stopping is for whoever may halt, as in the API; letting go on is not.
_STOP = ("exchanges.add_veto", "exchanges.change_tradingstate")
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "status": Command("status", ("strategies.view_strategyrow",), lambda _: looking.status(process_clock().now())),
        "positions": Command("positions", ("exchanges.view_position",), lambda _: looking.positions()),
        "pnl": Command("pnl", ("exchanges.view_position",), lambda _: looking.pnl(process_clock().now())),
        "pause": Command(
            "pause STRATEGY [why]", ("strategies.change_strategyrow", "exchanges.add_veto"), _pause, changes=True
        ),
        "resume": Command("resume STRATEGY [why]", ("strategies.change_strategyrow",), _resume, changes=True),
        "kill": Command("kill SCOPE [flatten] [why]", _STOP, _kill, changes=True),
        "confirm": Command("confirm CODE", _STOP, _confirm, changes=True),
        "ack": Command("ack ALERT [why]", ("monitor.change_alert",), _acknowledge, changes=True),
        "help": Command("help", (), help_text),
    }
)
