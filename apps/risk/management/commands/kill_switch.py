"""Stop trading, see what is stopped, let it go on, or rehearse it.

``kill_switch engage | status | release | confirm | withdraw | drill``
"""

from __future__ import annotations

import getpass
import socket
import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error as SqlError

from apps.exchanges.execution.nudges import halt_file_mode
from apps.exchanges.execution.sender import worker_name
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.models import TradingMode, Veto
from apps.exchanges.models.vetoes import DEADLINE_SECONDS, SLIPPAGE_BPS
from apps.risk import stopping
from apps.risk.direct.carry_out import DirectHands
from apps.risk.direct.without_database import stop_without_database
from apps.risk.drills import drill_claim, drill_run
from apps.risk.persons import person_proved
from apps.risk.scope import parse_scope
from moondev.commands import PromptCommand
from moondev.domain.clock import monotonic, process_clock
from moondev.domain.errors import InvalidValue, TradingError

POLL_SECONDS = 0.2


class Command(PromptCommand):
    """The kill switch. Ends with 0 only when everything asked for is done."""

    help = "Halt trading in a scope (default: everything), release it, show what is halted, or rehearse it on paper."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do and for what."""
        parser.add_argument("action", choices=["engage", "release", "confirm", "withdraw", "status", "drill"])
        parser.add_argument("--scope", default="everything", help="everything (default) or kind:key")
        parser.add_argument("--mode", choices=["halted", "reducing"], default="halted", help="default halted")
        parser.add_argument("--reason", default="", help="for the record; a release needs one")
        parser.add_argument("--direct", action="store_true", help="talk to the venues from here, without the broker")
        parser.add_argument("--timeout", type=float, default=60.0, help="how many seconds to wait (default 60)")
        self._add_flattening(parser)
        releasing = parser.add_argument_group("to release, and to agree to another's release")
        releasing.add_argument("--abandon", action="store_true", help="release although a venue could not be cleared")
        releasing.add_argument("--request", type=int, help="which release to confirm or withdraw; status shows them")
        releasing.add_argument("--as", dest="person", default="", help="who you are: a user of the admin")
        releasing.add_argument("--password-stdin", action="store_true", help="read the password there, not at a prompt")

    def _add_flattening(self, parser: CommandParser) -> None:
        group = parser.add_argument_group("to close the positions of the scope, too")
        group.add_argument("--flatten", action="store_true", help="close them")
        group.add_argument(
            "--urgency",
            choices=stopping.Urgency.values,
            default=stopping.Urgency.BRISK,
            help="patient: rest at the touch first; brisk (default): through the book first; immediate: at the market",
        )
        group.add_argument(
            "--deadline", type=int, default=DEADLINE_SECONDS, help=f"seconds to be flat in (default {DEADLINE_SECONDS})"
        )
        group.add_argument(
            "--slippage-bps", type=int, default=SLIPPAGE_BPS, help=f"farthest from the mark (default {SLIPPAGE_BPS})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError, so that the exit code tells, when it is not done."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except TradingError as error:
            raise CommandError(str(error)) from error
        except SqlError as error:
            raise CommandError(f"the database does not answer, so nothing else is known or changed: {error}") from error

    def _engage(self, options: dict[str, Any]) -> None:
        scope, mode = parse_scope(options["scope"]), TradingMode(options["mode"])
        reason = options["reason"] or f"kill switch by {_actor()}"
        try:
            engaged = stopping.engage(
                scope=scope,
                mode=mode,
                flatten=options["flatten"],
                reason=reason,
                actor=options["person"] or _actor(),
                now=process_clock().now(),
                closing=_closing(options),
            )
        except SqlError as error:
            self._engage_blind(options, error)
            return
        self.stdout.write(
            f"{':'.join(scope)} is {mode.value} (epoch {engaged.epoch}): no opening order leaves any more"
        )
        for name in engaged.unreached:
            self.stdout.write(f"  not reached: {name}")
        hands = DirectHands() if options["direct"] else None
        try:
            self._follow(engaged.veto_ids, hands, options["timeout"])
        except SqlError as error:
            self._engage_blind(options, error)
        finally:
            if hands:
                hands.close()

    def _engage_blind(self, options: dict[str, Any], error: SqlError) -> None:
        """Go on without SQL: the file halts this machine; with --direct the accounts of the file are cleared."""
        self.stdout.write(
            f"the database does not answer ({error}); this machine is halted by file and Redis, if it is up"
        )
        if not options["direct"]:
            raise CommandError("orders at the venues still stand: repeat with --direct")
        if options["scope"] != "everything":
            raise CommandError("without the database --direct can only stop everything: repeat without --scope")
        closing = _closing(options) if options["flatten"] else None
        clear = stop_without_database(closing=closing, seconds=options["timeout"], say=self.stdout.write)
        if not clear:
            raise CommandError("not everything is clear")
        self.stdout.write("done: no order is left" + (" and no position" if options["flatten"] else ""))

    def _follow(self, veto_ids: tuple[int, ...], hands: DirectHands | None, seconds: float) -> None:
        """Print every step of the halts until all are done. Raises CommandError when they are not in time."""
        deadline = monotonic() + seconds
        told: dict[int, str] = {}
        while True:
            rows = list(Veto.objects.filter(pk__in=veto_ids).order_by("venue_id"))
            for row in rows:
                self._tell(row, told)
            unfinished = [row for row in rows if row.done_at is None]
            if not unfinished:
                self.stdout.write("done: every venue has twice been asked and nothing is left")
                return
            if monotonic() >= deadline:
                places = ", ".join(f"{row.venue_id} ({row.stage})" for row in unfinished)
                raise CommandError(f"not done after {seconds:g} s: {places}; the halt itself holds. Try --direct")
            if hands:
                for row in unfinished:
                    hands.take(row.venue_id)
            time.sleep(POLL_SECONDS)

    def _tell(self, row: Veto, told: dict[int, str]) -> None:
        line = f"  {row.venue_id}: {row.stage}{' - ' + row.detail if row.detail else ''}"
        if told.get(row.pk) != line:
            told[row.pk] = line
            self.stdout.write(line)

    def _release(self, options: dict[str, Any]) -> None:
        scope = parse_scope(options["scope"])
        asked = stopping.release_ask(
            scope=scope,
            reason=options["reason"],
            actor=_releaser(options),
            now=process_clock().now(),
            unfinished=options["abandon"],
        )
        if asked.state == asked.State.WAITING:
            self.stdout.write(
                f"release {asked.pk} of {':'.join(scope)} waits for a second person until {asked.expires_at:%F %T}:"
                f" kill_switch confirm --request {asked.pk} --as <another user>"
            )
            return
        self.stdout.write(f"{':'.join(scope)} is active")
        self._tell_halts()

    def _confirm(self, options: dict[str, Any]) -> None:
        asked = stopping.release_confirm(
            request_id=_request(options), actor=_person(options), now=process_clock().now()
        )
        self.stdout.write(f"{asked.scope_kind}:{asked.scope_key} is active")
        self._tell_halts()

    def _withdraw(self, options: dict[str, Any]) -> None:
        asked = stopping.release_withdraw(
            request_id=_request(options), actor=_releaser(options), now=process_clock().now()
        )
        self.stdout.write(f"release {asked.pk} is withdrawn")

    def _drill(self, options: dict[str, Any]) -> None:
        """Rehearse on paper, from this process. Ends with an error when something was left or leaked."""
        clock = process_clock()
        row = stopping.drill_start(
            scope=parse_scope(options["scope"]), flatten=options["flatten"], actor=_actor(), now=clock.now()
        )
        if not drill_claim(row, worker_name(), clock):
            raise CommandError(f"drill {row.pk} is being run by the guard already; status shows what it finds")
        row.refresh_from_db()
        hands = DirectHands() if options["direct"] else None
        try:
            drill = drill_run(row, clock, VenueSessions(), lambda ids: self._follow(ids, hands, options["timeout"]))
        finally:
            if hands:
                hands.close()
        self.stdout.write(str(drill))
        if drill.problems:
            raise CommandError("the drill has found something")

    def _status(self, options: dict[str, Any]) -> None:
        if halt_file_mode() is not TradingMode.ACTIVE:
            self.stdout.write(f"  halt file of this machine: {halt_file_mode().value}")
        self._tell_halts()

    def _tell_halts(self) -> None:
        """Print every scope with what it says, widest first, and the halts under way."""
        status = stopping.status()
        for state in status.states:
            why = f" since {state.changed_at:%F %T} by {state.actor}: {state.reason}" if state.reason else ""
            self.stdout.write(f"  {state.scope_kind}:{state.scope_key} {state.mode}{why}")
        for (kind, key), mode in status.redis:
            self.stdout.write(f"  Redis: {kind}:{key} {mode.value}")
        for veto in status.unfinished:
            self.stdout.write(f"  under way: {veto}{' - ' + veto.detail if veto.detail else ''}")
        for asked in stopping.releases_waiting(process_clock().now()):
            self.stdout.write(f"  release {asked.pk} of {asked}")
        for drill in stopping.DrillRun.objects.all()[:1]:
            self.stdout.write(f"  last {drill} ({drill.asked_at:%F %T})")


def _actor() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _closing(options: dict[str, Any]) -> stopping.Closing:
    return stopping.Closing(stopping.Urgency(options["urgency"]), options["deadline"], options["slippage_bps"])


def _request(options: dict[str, Any]) -> int:
    number = options["request"]
    if number is None:
        raise InvalidValue("--request", number, "the number of a release that waits; status shows them")
    return int(number)


def _releaser(options: dict[str, Any]) -> str:
    """Return who releases: where two persons are needed, one the admin knows, elsewhere whoever runs the command."""
    return _person(options) if options["person"] or stopping.needs_second_person() else _actor()


def _person(options: dict[str, Any]) -> str:
    """Return who this is, once the password has proved it."""
    name = options["person"]
    if not name:
        raise InvalidValue("--as", name, "a user of the admin: a release by two persons needs their names")
    typed = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else getpass.getpass(f"Password of {name}: ")
    return person_proved(name, typed)
