"""Which addresses a notice may be sent to."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings

from moondev.domain.errors import InvalidValue


def checked_url(field: str, url: str) -> str:
    """Return an address that may be posted to. Raises InvalidValue: not https, with a login, or a host not allowed."""
    schemes = {"https", "http"} if settings.ALERTS_MAY_BE_PLAIN else {"https"}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidValue(field, url, "an address such as https://example.com/alerts") from error
    if parts.scheme not in schemes or not host or port == 0 or any(c.isspace() for c in url):
        raise InvalidValue(field, url, f"an address that begins with {' or '.join(sorted(schemes))}://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidValue(field, f"{parts.scheme}://{host}/…", "an address without a login or a # in it")
    if _of_the_link(host):
        raise InvalidValue(field, url, "no address of the local link: clouds keep their machines' keys there")
    if settings.ALERTS_WEBHOOK_HOSTS and host not in settings.ALERTS_WEBHOOK_HOSTS:
        raise InvalidValue(field, url, f"a host of ALERTS_WEBHOOK_HOSTS: {', '.join(settings.ALERTS_WEBHOOK_HOSTS)}")
    return url


def _of_the_link(host: str) -> bool:
    """Return whether a host is an address of the local link, in whatever way of writing the resolver understands."""
    bare = host.rstrip(".")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        try:
            # One number, or hexadecimal ones: 2852039166 is 169.254.169.254.
            address = ipaddress.ip_address(socket.inet_aton(bare))
        except OSError:
            return False
    return (getattr(address, "ipv4_mapped", None) or address).is_link_local
