"""Stop trading, see what is stopped, let it go on, or rehearse it: ``kill_switch engage|release|status|drill``."""

from __future__ import annotations

import getpass
import socket
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.models import TradingMode, Veto
from apps.risk import vetoes
from apps.risk.direct.carry_out import DirectHands
from apps.risk.direct.without_database import stop_without_database
from apps.risk.drill import rehearse
from apps.risk.scope import parse_scope
from moondev.domain.clock import monotonic, process_clock
from moondev.domain.errors import TradingError

POLL_SECONDS = 0.2


class Command(BaseCommand):
    """The kill switch. Ends with 0 only when everything asked for is done."""

    help = "Halt trading in a scope (default: everything), release it, show what is halted, or rehearse it on paper."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do and for what."""
        parser.add_argument("action", choices=["engage", "release", "status", "drill"])
        parser.add_argument("--scope", default="everything", help="everything (default) or kind:key")
        parser.add_argument("--mode", choices=["halted", "reducing"], default="halted", help="default halted")
        parser.add_argument("--flatten", action="store_true", help="close the positions of the scope, too")
        parser.add_argument("--reason", default="", help="for the record")
        parser.add_argument("--direct", action="store_true", help="talk to the venues from here, without the broker")
        parser.add_argument("--abandon", action="store_true", help="release although a venue could not be cleared")
        parser.add_argument("--timeout", type=float, default=60.0, help="how many seconds to wait (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError, so that the exit code tells, when it is not done."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except TradingError as error:
            raise CommandError(str(error)) from error

    def _engage(self, options: dict[str, Any]) -> None:
        scope, mode = parse_scope(options["scope"]), TradingMode(options["mode"])
        reason = options["reason"] or f"kill switch by {_actor()}"
        try:
            engaged = vetoes.engage(
                scope=scope,
                mode=mode,
                flatten=options["flatten"],
                reason=reason,
                actor=_actor(),
                now=process_clock().now(),
            )
        except DatabaseError as error:
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
        finally:
            if hands:
                hands.close()

    def _engage_blind(self, options: dict[str, Any], error: DatabaseError) -> None:
        """Go on without SQL: the file halts this machine; with --direct the accounts of the file are cleared."""
        self.stdout.write(
            f"the database does not answer ({error}); this machine is halted by file and Redis, if it is up"
        )
        if not options["direct"]:
            raise CommandError("orders at the venues still stand: repeat with --direct")
        if options["scope"] != "everything":
            raise CommandError("without the database --direct can only stop everything: repeat without --scope")
        clear = stop_without_database(flatten=options["flatten"], seconds=options["timeout"], say=self.stdout.write)
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
        reason = options["reason"] or f"released by {_actor()}"
        release = vetoes.release_unfinished if options["abandon"] else vetoes.release
        release(scope=scope, reason=reason, actor=_actor(), now=process_clock().now())
        self.stdout.write(f"{':'.join(scope)} is active")
        self._tell_halts()

    def _drill(self, options: dict[str, Any]) -> None:
        """Rehearse on paper. Ends with an error when something was left or leaked."""
        hands = DirectHands() if options["direct"] else None
        try:
            drill = rehearse(
                parse_scope(options["scope"]),
                flatten=options["flatten"],
                actor=_actor(),
                clock=process_clock(),
                sessions=VenueSessions(),
                follow=lambda ids: self._follow(ids, hands, options["timeout"]),
            )
        finally:
            if hands:
                hands.close()
        self.stdout.write(str(drill))
        if drill.problems:
            raise CommandError("the drill has found something")

    def _status(self, options: dict[str, Any]) -> None:
        self._tell_halts()

    def _tell_halts(self) -> None:
        """Print every scope with what it says, widest first, and the halts under way."""
        status = vetoes.status()
        for state in status.states:
            why = f" since {state.changed_at:%F %T} by {state.actor}: {state.reason}" if state.reason else ""
            self.stdout.write(f"  {state.scope_kind}:{state.scope_key} {state.mode}{why}")
        for (kind, key), mode in status.redis:
            self.stdout.write(f"  Redis: {kind}:{key} {mode.value}")
        if status.halt_file is not TradingMode.ACTIVE:
            self.stdout.write(f"  halt file of this machine: {status.halt_file.value}")
        for veto in status.unfinished:
            self.stdout.write(f"  under way: {veto}")


def _actor() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
