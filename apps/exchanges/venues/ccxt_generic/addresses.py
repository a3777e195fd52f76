"""Where a ccxt exchange is reached: at ccxt's own addresses, or all of them moved to the mock exchange."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from apps.exchanges.ports import Environment, VenueConfig
from moondev.domain.errors import Configuration

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def addresses(venue: VenueConfig, exchange: Any) -> dict[str, object]:  # noqa: ANN401 - ccxt has no types
    """Return what replaces ccxt's addresses of `exchange` for `venue`; nothing outside paper.

    Raises Configuration when a paper venue is not on this machine, when a real one names a host that is not among
    ccxt's own, and when ccxt knows no test network of the exchange.
    """
    host = urlsplit(venue.rest_url).hostname or ""
    if venue.environment is Environment.PAPER:
        if host not in _LOOPBACK:
            raise Configuration(f"venue {venue.code}: rest_url names {host}; a paper venue must name the mock exchange")
        return _moved(exchange.urls["api"], venue.rest_url.rstrip("/"))
    own = exchange.urls.get("test" if venue.environment is Environment.TESTNET else "api")
    if not own:
        raise Configuration(f"venue {venue.code}: ccxt knows no {venue.environment} addresses of {exchange.id}")
    hosts = sorted(_hosts(own, str(exchange.hostname)))
    if host not in hosts:
        raise Configuration(f"venue {venue.code}: rest_url names {host}; allowed: {', '.join(hosts)}")
    return {}


def _moved(own: object, to: str) -> dict[str, object]:
    """Return every address in `own` at `to`, its path kept."""
    moved: dict[str, object] = {}
    for name, value in own.items() if isinstance(own, dict) else ():
        moved[name] = _moved(value, to) if isinstance(value, dict) else to + urlsplit(str(value)).path.rstrip("/")
    return moved


def _hosts(own: object, hostname: str) -> set[str]:
    if isinstance(own, dict):
        return {host for value in own.values() for host in _hosts(value, hostname)}
    return {urlsplit(str(own).replace("{hostname}", hostname)).hostname or ""}
