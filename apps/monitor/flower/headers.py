"""What passes between a browser and Flower: what is named here, and nothing else.

So no cookie of ours reaches Flower, none of Flower's reaches a browser, and what is for one hop only (RFC 9110, section
7.6.1) stays there.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from apps.monitor.flower.place import PREFIX, USER, flower_secret

Raw = tuple[bytes, bytes]
_ASKED = frozenset(
    {b"accept", b"accept-encoding", b"accept-language", b"content-type", b"if-none-match", b"if-modified-since",
     b"x-requested-with"}
)  # fmt: skip
_ANSWERED = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-length", "content-type", "etag",
     "last-modified", "vary"}
)  # fmt: skip
# The one script that a page of Flower's carries in itself; no other may run, whatever a task's arguments say.
_INLINE = tuple(f"\nvar autorefresh = {value};\n" for value in (0, 1))
_HASHES = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in _INLINE)
POLICY = (
    f"default-src 'none'; script-src 'self' {_HASHES}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_GUARDS = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}  # fmt: skip


def asked_of_flower(headers: Iterable[Raw]) -> dict[str, str]:
    """Return the headers of a browser's request as Flower gets them, with our secret for who asks."""
    passed = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in _ASKED}
    credentials = base64.b64encode(f"{USER}:{flower_secret()}".encode()).decode()
    return {"accept-encoding": "identity", **passed, "authorization": f"Basic {credentials}"}


def answered_by_flower(headers: Mapping[str, str]) -> list[Raw]:
    """Return the headers of Flower's answer as a browser gets them, with guards of ours."""
    passed = {name: value for name, value in headers.items() if name.lower() in _ANSWERED}
    if "Location" in headers:
        passed["Location"] = own_location(headers["Location"])
    if "cache-control" not in {name.lower() for name in passed}:
        passed["Cache-Control"] = "private, no-cache"
    told = {**passed, **_GUARDS}
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]


def own_location(location: str) -> str:
    """Return where Flower sends a browser as an address of ours; what leads out of Flower leads to its front page."""
    parts = urlsplit(location)
    query = f"?{parts.query}" if parts.query else ""
    if parts.path == PREFIX or parts.path.startswith(f"{PREFIX}/"):
        return f"{parts.path}{query}"
    return f"{PREFIX}/"
