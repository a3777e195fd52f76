"""A report as a letter, and sending one: through Django's mail, with the settings of the environment."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.mime.image import MIMEImage
from enum import Enum

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from apps.monitor.models import Report

CONTENT_ID = "equity"


class Outcome(Enum):
    """What became of a letter. UNKNOWN: the server was told and its answer was not heard."""

    SENT = "sent"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


def mail_is_set() -> bool:
    """Return whether there is a mail server to send by."""
    return bool(settings.EMAIL_HOST)


def letter_of(report: Report, address: str) -> EmailMultiAlternatives:
    """Return a report as a letter to one address, its picture inside."""
    letter = EmailMultiAlternatives(report.subject, report.text, settings.DEFAULT_FROM_EMAIL, [address])
    letter.attach_alternative(report.html, "text/html")
    picture = bytes(report.picture)
    if picture:
        # Related, so that the picture is shown within the page and not listed as a file.
        letter.mixed_subtype = "related"  # type: ignore[attr-defined]  # Django's own, which the stubs lack
        letter.attach(_inline(picture))
    return letter


def send(report: Report, address: str) -> tuple[Outcome, str]:
    """Send a report to an address and return what became of it, with the server's words where it refused."""
    try:
        with _connected() as connection:
            return _send(letter_of(report, address), connection)
    except (OSError, smtplib.SMTPException) as error:
        # Connecting and logging in; nothing had been said of the letter.
        return Outcome.NOT_SENT, _words(error)


@contextmanager
def _connected() -> Iterator[BaseEmailBackend]:
    connection = get_connection()
    connection.open()
    try:
        yield connection
    finally:
        connection.close()


def _send(letter: EmailMultiAlternatives, connection: BaseEmailBackend) -> tuple[Outcome, str]:
    letter.connection = connection
    try:
        letter.send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        return Outcome.NOT_SENT, _words(error)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome.UNKNOWN, _words(error)
    return Outcome.SENT, ""


def _inline(picture: bytes) -> MIMEImage:
    image = MIMEImage(picture, "png")
    image.add_header("Content-ID", f"<{CONTENT_ID}>")
    image.add_header("Content-Disposition", "inline", filename="equity.png")
    return image


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
