"""Which addresses a venue row may name: real hosts in real environments, the mock exchange on paper, never mixed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.exchanges.ports import Environment, VenueConfig
from moondev.domain.errors import Configuration

Hosts = Mapping[Environment, frozenset[str]]


@dataclass(frozen=True, slots=True)
class RealHosts:
    """Where a venue lives in each real environment, and which hosts are its own: no paper row may name one of those."""

    rest: Hosts
    websocket: Hosts
    is_real: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Checked addresses of one venue row, without a slash at the end."""

    rest_url: str
    websocket_url: str


def under(*domains: str) -> Callable[[str], bool]:
    """Return what tells whether a host is one of `domains` or lies beneath one."""
    beneath = tuple(f".{domain}" for domain in domains)
    return lambda host: host in domains or host.endswith(beneath)


def checked(venue: VenueConfig, real: RealHosts) -> Addresses:
    """Return the addresses of `venue`, checked against the environment it claims.

    Raises Configuration when a paper venue names a real host, when a real environment names any other host, and when
    an address is not of the right scheme (outside paper: the encrypted one).
    """
    _require(venue, "rest_url", venue.rest_url, ("http", "https"), real.rest.get(venue.environment), real)
    _require(venue, "websocket_url", venue.websocket_url, ("ws", "wss"), real.websocket.get(venue.environment), real)
    return Addresses(venue.rest_url.rstrip("/"), venue.websocket_url.rstrip("/"))


def _require(
    venue: VenueConfig, field: str, url: str, schemes: tuple[str, str], allowed: frozenset[str] | None, real: RealHosts
) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Configuration(f"{field} is {url!r}; allowed: an address that starts with {' or '.join(schemes)}")
    host = parts.hostname.lower()
    if allowed is None:
        if real.is_real(host):
            raise Configuration(
                f"venue {venue.code}: {field} names {host}, which is real; a paper venue must name the mock exchange"
            )
        return
    if host not in allowed:
        names = " or ".join(sorted(allowed))
        raise Configuration(
            f"venue {venue.code}: {field} names {host}; the {venue.environment} environment is at {names}"
        )
    if parts.scheme != schemes[1]:
        raise Configuration(f"venue {venue.code}: outside paper {field} must start with {schemes[1]}:")
