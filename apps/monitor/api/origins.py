"""Which pages are ours: browsers send our cookies with what pages of other sites ask for, too."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from starlette.requests import HTTPConnection


def is_page_of_ours(asking: HTTPConnection) -> bool:
    """Return whether the page that asks names itself, and is one of this installation's."""
    origin = asking.headers.get("origin")
    if origin is None:
        return False
    own = urlsplit(origin).netloc == asking.headers.get("host") or origin in settings.CSRF_TRUSTED_ORIGINS
    return own and _is_known_host(asking)


def _is_known_host(asking: HTTPConnection) -> bool:
    request = HttpRequest()
    request.META = {"HTTP_HOST": asking.headers.get("host", ""), "SERVER_NAME": "", "SERVER_PORT": ""}
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True
