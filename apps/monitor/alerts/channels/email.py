"""E-mail: Apprise writes the message and opens the session, we hand it over and read what the server says."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.smtp import AppriseSMTPController, SMTPSecureMode

from apps.monitor.alerts.channels.letter import PLATFORM, Letter
from apps.monitor.alerts.channels.options import EmailOptions
from apps.monitor.alerts.channels.refusals import NotTaken

# For each step of the conversation.
PATIENCE_SECONDS = 6
MODES: Mapping[str, str] = MappingProxyType(
    {"starttls": SMTPSecureMode.STARTTLS, "tls": SMTPSecureMode.SSL, "none": SMTPSecureMode.INSECURE}
)


class _Session(AppriseSMTPController):
    """A session that tells who was refused, and raises what went wrong, where Apprise's says yes or no."""

    def hand_over(self, sender: str, recipients: list[str], message: str) -> Mapping[str, Any]:
        """Send one message; return who was refused while others were not. Raises smtplib's errors."""
        server: smtplib.SMTP | None = self._socket
        if server is None:
            raise smtplib.SMTPServerDisconnected("there is no session")
        return server.sendmail(sender, recipients, message)


def tell(options: EmailOptions, secret: str, letter: Letter) -> str:
    """Send a letter by mail; return who did not get it while others did. Raises NotTaken."""
    first, *others = options.to
    # One message for all: several could be taken in part, and the rest would come twice.
    [message] = NotifyEmail.prepare_emails(
        subject=f"{letter.heading}: {letter.notice.title}",
        body=_body(letter),
        from_addr=(PLATFORM, options.sender),
        to=[(False, first)],
        cc=set(others),
        smtp_host=options.sender.rpartition("@")[2],
        notify_format="text",
        attach=letter.attachments(),
        headers={"X-Application": PLATFORM, "X-Notice-Id": letter.key, "Auto-Submitted": "auto-generated"},
    )
    session = _Session(
        options.host, options.port, MODES[options.security], options.user or None, secret or None,
        socket_connect_timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    try:
        with session:
            refused = session.hand_over(options.sender, message.to_addrs, message.body)
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        raise NotTaken(f"it refused every recipient ({codes})", permanent=min(codes) >= _STANDS) from error
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise NotTaken(f"it answered {error.smtp_code}: {words}", permanent=error.smtp_code >= _STANDS) from error
    except (OSError, smtplib.SMTPException, RuntimeError) as error:
        raise NotTaken(f"no connection ({type(error).__name__})") from error
    return f"refused for {', '.join(refused)}" if refused else ""


# SMTP's 5xx stands; 4xx may pass.
_STANDS = int(HTTPStatus.INTERNAL_SERVER_ERROR)


def _body(letter: Letter) -> str:
    return "\n\n".join(part for part in (letter.notice.body, letter.notice.url, letter.detour, letter.footer) if part)
