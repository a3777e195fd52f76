"""What people are told, whatever the channel. Its text may come from venues: it is plain text, and stays that."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from moondev.domain.errors import InvalidValue
from moondev.logs.redaction import redaction

Kind = Literal["firing", "resolved", "escalated", "reminder", "test", "report"]
Severity = Literal["info", "warning", "critical"]
KINDS, SEVERITIES = get_args(Kind), get_args(Severity)
# Characters. What is longer ends in an ellipsis: a text that is too long must not cost anybody the alert.
LONGEST_TITLE, LONGEST_BODY, LONGEST_GROUP, LONGEST_URL = 200, 20_000, 200, 500
# Bytes in one notice: its row is in the database until it has been delivered, and mail servers refuse much more.
LARGEST_ATTACHMENTS = 4_000_000
# PostgreSQL keeps no NUL in JSON, and no other control character (bar tab and line feed) says anything to a person;
# nor do those that turn the direction of the text round and so show another than is there.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along; its content, not its path: whoever sends it may be on another machine."""

    name: str
    media_type: str
    content: bytes

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", self.name):
            raise InvalidValue("attachment", self.name, "a file's name of letters, digits, dots, dashes")
        if not re.fullmatch(r"[a-z]+/[a-z0-9.+-]{1,80}", self.media_type):
            raise InvalidValue("media_type", self.media_type, "a media type such as text/csv")


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `group` is what belongs together, such as an alert and its end; `url` is where to read on.

    Raises InvalidValue for an unknown kind or severity, an empty title, a URL that is none, or too large attachments.
    """

    kind: Kind
    severity: Severity
    title: str
    body: str
    group: str
    url: str = ""
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidValue("kind", self.kind, ", ".join(KINDS))
        if self.severity not in SEVERITIES:
            raise InvalidValue("severity", self.severity, ", ".join(SEVERITIES))
        for name, longest in (("title", LONGEST_TITLE), ("body", LONGEST_BODY), ("group", LONGEST_GROUP)):
            object.__setattr__(self, name, _tellable(getattr(self, name), longest))
        object.__setattr__(self, "title", " ".join(self.title.split()))
        if not self.title:
            raise InvalidValue("title", self.title, "at least one character")
        if self.url and (urlsplit(self.url).scheme not in {"http", "https"} or len(self.url) > LONGEST_URL):
            raise InvalidValue("url", self.url, f"an http(s) address of at most {LONGEST_URL} characters, or nothing")
        size = sum(len(one.content) for one in self.attachments)
        if size > LARGEST_ATTACHMENTS:
            raise InvalidValue("attachments", f"{size} bytes", f"at most {LARGEST_ATTACHMENTS} bytes together")

    def as_json(self) -> dict[str, Any]:
        """Return it as the outbox keeps it."""
        told = asdict(self)
        told["attachments"] = [
            {**asdict(one), "content": base64.b64encode(one.content).decode()} for one in self.attachments
        ]
        return told


def notice_from(told: Mapping[str, Any]) -> Notice:
    """Return the notice that `as_json` wrote down."""
    attachments = tuple(
        Attachment(one["name"], one["media_type"], base64.b64decode(one["content"])) for one in told["attachments"]
    )
    return Notice(**{**told, "attachments": attachments})


def _tellable(text: str, longest: int) -> str:
    """Return a text that may go to others: errors of strategies and venues stand in it, and with them who knows what.

    Secrets are hidden before it is cut: of one that is cut in two, half would be told.
    """
    return printable(redaction()(printable(text, len(text))), longest)


def printable(text: str, longest: int) -> str:
    """Return a text without what cannot be printed, cut with an ellipsis when it is longer than that."""
    clean = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return clean if len(clean) <= longest else f"{clean[: longest - 1].rstrip()}…"
