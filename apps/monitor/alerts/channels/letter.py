"""A notice as people read it: what it is, what it says, where it should have gone, and which delivery it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apprise import AppriseAsset, AppriseAttachment, NotifyType
from apprise.attachment.memory import AttachMemory

from apps.monitor.alerts.notice import Notice

PLATFORM = "MoonDev AlgoTrade"
_MARKS = {"info": "🔵", "warning": "🟠", "critical": "🔴"}
_TYPES = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "critical": NotifyType.FAILURE}


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery's message. `key` tells two copies from two messages; `failed` are channels that did not take it."""

    notice: Notice
    key: str
    at: datetime
    failed: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """Return what kind of message it is, in a word or two."""
        grade = self.notice.severity.upper()
        words = {
            "firing": grade, "escalated": f"ESCALATED, {grade}", "reminder": f"STILL {grade}", "resolved": "RESOLVED",
            "test": "TEST", "report": "REPORT",
        }  # fmt: skip
        return words[self.notice.kind]

    @property
    def mark(self) -> str:
        """Return a mark that is seen before anything is read."""
        special = {"resolved": "🟢", "test": "⚪", "report": "📄"}
        return special.get(self.notice.kind, _MARKS[self.notice.severity])

    @property
    def type(self) -> NotifyType:
        """Return what Apprise calls it, which decides its colour."""
        return NotifyType.SUCCESS if self.notice.kind == "resolved" else _TYPES[self.notice.severity]

    @property
    def detour(self) -> str:
        """Return a line that says which channels failed, or nothing."""
        return f"Not delivered by {', '.join(self.failed)}; this channel stands in." if self.failed else ""

    @property
    def footer(self) -> str:
        """Return when it was written, and which one it is."""
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC · {self.key}"

    def attachments(self) -> AppriseAttachment | None:
        """Return its files as Apprise takes them."""
        if not self.notice.attachments:
            return None
        files = AppriseAttachment(asset=asset())
        for one in self.notice.attachments:
            files.add(AttachMemory(content=one.content, name=one.name, mimetype=one.media_type, asset=asset()))
        return files


def asset() -> AppriseAsset:
    """Return how Apprise calls us; it fetches no pictures from elsewhere, and keeps nothing on disk."""
    return AppriseAsset(app_id=PLATFORM, app_desc=PLATFORM, app_url="", image_url_mask="", image_url_logo="")


def clipped(text: str, longest: int) -> str:
    """Return a text of at most so many characters, as Telegram and Discord count: in units of UTF-16."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * longest:
        return text
    # Half of a pair at the end is dropped.
    return f"{units[: 2 * (longest - 1)].decode('utf-16-le', errors='ignore')}…"
