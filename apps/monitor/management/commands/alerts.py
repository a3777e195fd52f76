"""Watch, and say what is wrong: ``alerts watch|list|acknowledge|rules|report|try``."""

from __future__ import annotations

import getpass
import signal
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.exchanges.market_data.cache import process_redis
from apps.monitor.alerts.history.report import SECONDS, worth_of_rules
from apps.monitor.alerts.history.trials import try_rule, usual_variants
from apps.monitor.alerts.services import alert_acknowledge
from apps.monitor.alerts.sweeping import sweeping
from apps.monitor.alerts.watch import Watch, watcher_name
from apps.monitor.api.stream.sources.queue_lengths import QueueLengths
from apps.monitor.audit.acting import acting
from apps.monitor.models import Alert, AlertRule, AlertState
from moondev.commands import PromptCommand
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue
from moondev.heartbeat.heart import beating

SWEEP_ENDS_SECONDS = 3.0
MOST_DAYS = 3650
_COLUMNS = "{:<18}{:>7}{:>7}{:>10}{:>7}{:>7}{:>7}{:>9}"
_LIVE = [AlertState.PENDING, AlertState.FIRING, AlertState.ACKNOWLEDGED]


class Command(PromptCommand):
    """Alerts on the command line. `watch` runs until it is told to stop; the others answer and end."""

    help = "Watch over the rules (watch), list what is wrong (list), answer (acknowledge), judge (rules, report, try)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        watch = deeds.add_parser("watch", help="look at the platform every few seconds")
        watch.add_argument("--interval", type=float, default=5.0, help="real seconds between two looks (default 5)")
        watch.add_argument("--once", action="store_true", help="look once and end")
        listed = deeds.add_parser("list", help="what is wrong now")
        listed.add_argument("--all", action="store_true", help="what is over, too: the latest 50")
        answer = deeds.add_parser("acknowledge", help="say that you have it in hand")
        answer.add_argument("alert", type=int, help="its number, as list shows it")
        answer.add_argument("--reason", required=True)
        answer.add_argument("--label", choices=Alert.Label.values, default="", help="was it right to tell?")
        deeds.add_parser("rules", help="the rules, in a line each")
        report = deeds.add_parser("report", help="what each rule was worth")
        tried = deeds.add_parser("try", help="how often a rule would have fired with other numbers")
        tried.add_argument("rule", help="its slug")
        tried.add_argument("--threshold", type=Decimal, help="one threshold, instead of several around its own")
        tried.add_argument("--for", type=int, dest="wait", help="seconds; with --threshold, default: as it is")
        for deed in (report, tried):
            deed.add_argument("--days", type=float, default=7, help="how far back (default 7)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            getattr(self, f"_{options['deed']}")(options)
        except InvalidValue as error:
            raise CommandError(str(error)) from error

    def _watch(self, options: dict[str, Any]) -> None:
        if not options["interval"] > 0:
            raise InvalidValue("interval", options["interval"], "seconds above 0")
        with QueueLengths() as queues:
            watch = Watch(process_clock(), process_redis(), queues.read, watcher_name())
            if options["once"]:
                if not watch.step():
                    raise CommandError("the database does not answer")
                return
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            self.stderr.write("the alerts are watching")
            sweep = sweeping(stop)
            with beating("alert_watch") as pulse:
                watch.run(stop, options["interval"], pulse.turn)
            # An attempt that hangs is taken up by somebody else once its lease has lapsed.
            sweep.join(SWEEP_ENDS_SECONDS)

    def _list(self, options: dict[str, Any]) -> None:
        chosen = Alert.objects.select_related("rule")
        rows = chosen[:50] if options["all"] else chosen.filter(state__in=_LIVE)
        for alert in reversed(rows):
            self.stdout.write(_line(alert))
        if not rows:
            self.stdout.write("nothing is wrong")

    def _acknowledge(self, options: dict[str, Any]) -> None:
        actor = getpass.getuser()
        with acting(actor, reason=options["reason"]):
            alert = alert_acknowledge(
                alert_id=options["alert"], actor=actor, reason=options["reason"], now=process_clock().now(),
                label=options["label"],
            )  # fmt: skip
        self.stdout.write(_line(alert))

    def _rules(self, _: dict[str, Any]) -> None:
        for rule in AlertRule.objects.order_by("slug"):
            off = "" if rule.enabled else " (off)"
            when = f"{rule.reading} {rule.get_comparison_display()} {rule.threshold.normalize():f}"
            self.stdout.write(f"{rule.slug:<18}{rule.severity:<10}{when} for {rule.for_seconds} s in {rule.scope}{off}")

    def _report(self, options: dict[str, Any]) -> None:
        self.stdout.write(_COLUMNS.format("rule", "fired", "told", "answered", "brief", "right", "false", "unknown"))
        for worth in worth_of_rules(_since(options)):
            if worth.fired:
                self.stdout.write(
                    _COLUMNS.format(
                        worth.rule, worth.fired, worth.told, worth.acknowledged, worth.brief, worth.right, worth.false,
                        worth.unknown,
                    )
                )  # fmt: skip
        self.stdout.write(f"brief: over by itself within {SECONDS.seconds} s; right, false: as people called them")

    def _try(self, options: dict[str, Any]) -> None:
        rule = AlertRule.objects.filter(slug=options["rule"]).first()
        if rule is None:
            raise InvalidValue("rule", options["rule"], "the slug of a rule")
        wait = rule.for_seconds if options["wait"] is None else options["wait"]
        chosen = usual_variants(rule) if options["threshold"] is None else [(options["threshold"], wait)]
        for tried in try_rule(rule, chosen, _since(options), process_clock().now()):
            mark = "  as it is" if tried.present else ""
            self.stdout.write(
                f"{tried.threshold.normalize():f} for {tried.for_seconds} s: would have fired {tried.fired} times"
                f" ({tried.again} of them again), for {tried.seconds:.0f} s in all{mark}"
            )


def _since(options: dict[str, Any]) -> datetime:
    if not 0 < options["days"] <= MOST_DAYS:
        raise InvalidValue("days", options["days"], f"a number above 0, and up to {MOST_DAYS}")
    return process_clock().now() - timedelta(days=options["days"])


def _line(alert: Alert) -> str:
    value = "" if alert.value is None else f" {alert.value.normalize():f} (from {alert.threshold.normalize():f})"
    answered = f", {alert.acknowledged_by}: {alert.acknowledge_reason}" if alert.acknowledged_by else ""
    held = f", nobody was told: {alert.held}" if alert.held else ""
    began = alert.fired_at or alert.since
    return f"{alert.pk:>6} {alert.severity:<9}{alert.state:<13}{began:%F %T} {alert.title}{value}{answered}{held}"
