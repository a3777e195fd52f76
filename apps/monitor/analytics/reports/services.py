"""Write reports and mail them: each period once, each letter once, whoever is at it and whatever was down meanwhile."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min

from apps.exchanges.models import Fill, Transfer
from apps.monitor.analytics.reports.days import Stretch, finished
from apps.monitor.analytics.reports.gather import gather
from apps.monitor.analytics.reports.letter import Outcome, mail_is_set, send
from apps.monitor.analytics.reports.page import page_of
from apps.monitor.models import LetterState, Report, ReportKind, ReportLetter, ReportRecipient
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
# A letter that somebody has begun to send and not said what became of: he has died, and the server may have it.
LOST_AFTER = timedelta(minutes=15)
# Older reports are written and not mailed any more: nobody wants last week's daily ones.
MAILED_FOR = timedelta(days=3)
STATES = {
    Outcome.SENT: LetterState.SENT,
    Outcome.NOT_SENT: LetterState.WAITING,
    Outcome.UNKNOWN: LetterState.UNKNOWN,
}


def reports_due(now: datetime) -> list[Report]:
    """Write every report that is due and mail what is to be mailed; return those that were written."""
    began = _began()
    written = []
    for kind in ReportKind:
        for stretch in finished(ReportKind(kind), now, settings.MOONDEV_REPORT_ZONE):
            if began is None or stretch.period.end <= began or _kept(stretch) is not None:
                continue
            report = report_write(stretch, now)
            if report is not None:
                written.append(report)
    letters_send(now)
    return written


def report_write(stretch: Stretch, now: datetime) -> Report | None:
    """Return the report of a period, written now unless it was before; None while there is no account.

    Raises InvalidValue while the period lasts.
    """
    kept = _kept(stretch)
    if kept is not None:
        return kept
    if stretch.period.end > now:
        raise InvalidValue("date", stretch.first, f"a {stretch.kind.value} period that is over")
    content = gather(stretch, now)
    if content is None:
        return None
    page = page_of(content)
    report, new = Report.objects.get_or_create(
        kind=stretch.kind, first_day=stretch.first, zone=stretch.zone,
        defaults={
            "start": stretch.period.start, "end": stretch.period.end, "made_at": now, "subject": page.subject,
            "text": page.text, "html": page.html, "picture": page.picture,
        },
    )  # fmt: skip
    if new:
        logger.info("report written: %s", report.subject)
    return report


def letters_prepare(report: Report) -> int:
    """Write a letter to everybody who gets reports of this kind; return how many are new."""
    chosen = ReportRecipient.objects.filter(enabled=True, **{report.kind: True})
    letters = [ReportLetter(report=report, address=address) for address in chosen.values_list("address", flat=True)]
    before = report.letters.count()
    ReportLetter.objects.bulk_create(letters, ignore_conflicts=True)
    return int(report.letters.count()) - before


def letters_send(now: datetime) -> int:
    """Send every letter that waits; return how many were sent. Does nothing while no mail server is set."""
    if not mail_is_set():
        return 0
    for report in Report.objects.filter(end__gt=now - MAILED_FOR):
        letters_prepare(report)
    lost = ReportLetter.objects.filter(state=LetterState.SENDING, tried_at__lt=now - LOST_AFTER)
    lost.update(state=LetterState.UNKNOWN, error="whoever sent it died meanwhile")
    waiting = ReportLetter.objects.filter(state=LetterState.WAITING).select_related("report")
    return sum(letter_send(letter, now) for letter in waiting.order_by("pk"))


def letter_send(letter: ReportLetter, now: datetime) -> bool:
    """Send a letter unless somebody else is at it, or has; return whether it was sent."""
    waiting = ReportLetter.objects.filter(pk=letter.pk, state=LetterState.WAITING, attempts=letter.attempts)
    if not waiting.update(state=LetterState.SENDING, attempts=letter.attempts + 1, tried_at=now):
        return False
    outcome, words = send(letter.report, letter.address)
    state = STATES[outcome]
    if state is LetterState.WAITING and letter.attempts + 1 >= MOST_ATTEMPTS:
        state = LetterState.FAILED
    sent_at = now if outcome is Outcome.SENT else None
    ReportLetter.objects.filter(pk=letter.pk).update(state=state, sent_at=sent_at, error=words)
    if outcome is not Outcome.SENT:
        logger.warning("report %s to %s: %s: %s", letter.report_id, letter.address, outcome.value, words)
    return outcome is Outcome.SENT


def letters_again(report: Report) -> int:
    """Have letters of a report that failed, or whose fate is not known, sent again, because a person says so."""
    over = report.letters.filter(state__in=[LetterState.FAILED, LetterState.UNKNOWN])
    return int(over.update(state=LetterState.WAITING, attempts=0, error=""))


def _kept(stretch: Stretch) -> Report | None:
    return Report.objects.filter(kind=stretch.kind, first_day=stretch.first, zone=stretch.zone).first()


def _began() -> datetime | None:
    """Return when anything was booked first: before that there is nothing to report."""
    found = [Transfer.objects.aggregate(at=Min("at"))["at"], Fill.objects.aggregate(at=Min("time_exchange"))["at"]]
    return min((at for at in found if at is not None), default=None)
