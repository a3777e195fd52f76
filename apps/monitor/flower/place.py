"""Where Flower listens, and the secret that only Flower and the web process know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import salted_hmac

from moondev.domain.errors import Configuration

PREFIX = "/flower"
USER = "web"
# A path of a unix socket has 108 bytes on Linux, the last of them 0 (man 7 unix).
LONGEST_PATH = 107


@dataclass(frozen=True, slots=True)
class Place:
    """Where Flower listens: `url` for whoever asks, over `socket` unless it is None."""

    url: str
    socket: Path | None

    @property
    def port(self) -> int:
        """Return the port that Flower listens on when it has no socket."""
        return urlsplit(self.url).port or 5555


def flower_place() -> Place:
    """Return where FLOWER_AT says that Flower is. Raises Configuration."""
    at: str = settings.FLOWER_AT
    if at.startswith("unix:"):
        path = Path(at.removeprefix("unix:"))
        if not path.is_absolute() or len(bytes(path)) > LONGEST_PATH:
            raise Configuration(f"FLOWER_AT is {at}; allowed: unix:/an/absolute/path of at most {LONGEST_PATH} bytes")
        return Place("http://flower", path)
    parts = urlsplit(at)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise Configuration(f"FLOWER_AT is {at}; allowed: unix:/path or http://host:port")
    return Place(f"{parts.scheme}://{parts.netloc}", None)


def flower_secret() -> str:
    """Return the password that the web process shows to Flower: nobody else can ask it for anything it guards."""
    return salted_hmac("moondev.flower", USER, algorithm="sha256").hexdigest()
