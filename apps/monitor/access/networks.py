"""Internet addresses and the networks they lie in."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from moondev.domain.errors import InvalidValue

Network = IPv4Network | IPv6Network


def network(text: str) -> Network:
    """Return a network such as 10.0.0.0/8; a single address is one too. Raises InvalidValue for anything else."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise InvalidValue("network", text, "an address, or a network such as 10.0.0.0/8 or fd00::/8") from error


def lies_in(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address lies in one of the networks; what is no address lies in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network(one) for one in networks)
