"""Addresses: the client behind a proxy, addresses in networks, hosts in URLs. No I/O is done."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

MAPPED = 96  # bits before the IPv4 address in ::ffff:198.51.100.9
# TradingView sends its alerts from these, as its documentation of webhooks says.
PRESETS = {
    "tradingview": ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7"),
}


def networks(texts: Iterable[str]) -> Networks:
    """The networks of texts; each is an address, a network or a preset. Raises ValueError."""
    each = (part for text in texts for part in PRESETS.get(text.lower(), (text,)))
    return tuple(_network(text) for text in each)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network; for an IPv4 one written as IPv6 (`::ffff:198.51.100.9`) it is the IPv4 one."""
    if "%" in text:
        raise ValueError("a zone means something on one machine only")
    network = ipaddress.ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - MAPPED))


@lru_cache(4096)
def address_of(text: str) -> Address | None:
    """The address in a text, which may have a port behind it; None where there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def plain(text: str) -> str:
    """An address as it is usually written: `::ffff:198.51.100.9` as 198.51.100.9.

    A text that is no address stays as it is.
    """
    address = address_of(text)
    return text if address is None else str(address)


def within(text: str, among: Networks) -> bool:
    """Whether an address lies in one of the networks."""
    address = address_of(text)
    return address is not None and any(address in network for network in among)


def client(peer: str, forwarded: str, trusted: Networks) -> str:
    """The client's address: the right-most hop of X-Forwarded-For that is no trusted proxy.

    A hop that is no address ends the search, as nothing to its left can be trusted.
    """
    found = plain(peer)
    for hop in reversed(forwarded.split(",")):
        if not within(found, trusted):
            break
        address = address_of(hop)
        if address is None:
            break
        found = str(address)
    return found


def neighbourhood(text: str) -> str:
    """The text that stands for one sender: an IPv4 address, or an IPv6 network of 64 bits."""
    address = address_of(text)
    if address is None or address.version == 4:
        return plain(text)
    return str(ipaddress.ip_network((address, 64), strict=False))


def is_loopback(text: str) -> bool:
    """Whether this is the machine itself."""
    address = address_of(text)
    return address is not None and address.is_loopback


def site_of(origin: str) -> str:
    """The host and port in an Origin header; "" where there are none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def has_bare_signs(url: str) -> bool:
    """Whether the user or password in a database's URL holds a bare `#`, `/`, `?` or `@`.

    There these must be percent-encoded. An `@` in the options (`?user=me@host`) is allowed.
    """
    place = url.partition("://")[2]
    before, at, _ = place.rpartition("@")
    return bool(at) and "=" not in before.partition("?")[2] and bool(set("#/?@") & set(before))


def is_private(text: str) -> bool:
    """Whether this is an address of a local network or of the machine itself."""
    address = address_of(text)
    return address is not None and address.is_private
