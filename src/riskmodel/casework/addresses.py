"""A host in, the addresses out that may be called; none within our own network unless that is allowed."""

import ipaddress
import socket

from riskmodel.errors import RiskmodelError

# They lead to an IPv4 address that is written within them, which could be any.
_WRAPPED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")]


class ForbiddenAddressError(RiskmodelError):
    """A host has an address of a private network."""


def resolve(host: str, port: int, *, private: bool) -> list[str]:
    """Return the addresses of a host; connect to these, as its name may mean others a moment later.

    Raises:
        OSError: if it has none.
        ForbiddenAddressError: if any of them is private and ``private`` does not allow that.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not private and not all(map(is_public, addresses)):
        raise ForbiddenAddressError("A webhook's host: found a private address, expected public ones only.")
    return addresses


def is_public(address: str) -> bool:
    """Return whether an IP address is one that anybody on the internet reaches."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif any(parsed in net for net in _WRAPPED):
            return False
    return parsed.is_global and not parsed.is_multicast
