"""``ip()``, ``cidr()`` and ``url()``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from portway.krm.cel.library.declaring import Library
from portway.krm.cel.values import EvaluationError

LIBRARY = Library()
declare = LIBRARY.declare


@dataclass(frozen=True, slots=True)
class IP:
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    type_name: ClassVar[str] = "net.IP"


@dataclass(frozen=True, slots=True)
class CIDR:
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    type_name: ClassVar[str] = "net.CIDR"


@dataclass(frozen=True, slots=True)
class URL:
    scheme: str
    host: str
    path: str
    query: str
    type_name: ClassVar[str] = "kubernetes.URL"

    @property
    def hostname(self) -> str:
        host = self.host.rpartition("@")[2]
        if host.startswith("["):
            return host[1:].partition("]")[0]
        return host.partition(":")[0]

    @property
    def port(self) -> str:
        tail = self.host.rpartition("]")[2] if "[" in self.host else self.host
        return tail.partition(":")[2]


@lru_cache(maxsize=1024)
def _ip(text: str) -> IP:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise EvaluationError(
            f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): unable to parse IP'
        ) from None
    if "%" in text:
        raise EvaluationError(f"IP address {text} with zone value is not allowed")
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        raise EvaluationError(f"IPv4-mapped IPv6 address {text} is not allowed")
    return IP(found)


@lru_cache(maxsize=1024)
def _cidr(text: str) -> CIDR:
    try:
        address, slash, bits = text.partition("/")
        if not slash or not bits.isdigit() or (len(bits) > 1 and bits[0] == "0"):
            raise ValueError
        return CIDR(_ip(address).address, ipaddress.ip_network(text, strict=False))
    except (ValueError, EvaluationError):
        raise EvaluationError(
            f'network address parse error during conversion from string: netip.ParsePrefix("{text}"): invalid'
        ) from None


def _is(make: Any) -> Any:
    def check(text: str) -> bool:
        try:
            make(text)
        except EvaluationError:
            return False
        return True

    return check


def _contains(cidr: CIDR, ip: IP) -> bool:
    return ip.address in cidr.network if ip.address.version == cidr.network.version else False


def _contains_cidr(cidr: CIDR, other: CIDR) -> bool:
    return bool(cidr.network.version == other.network.version and other.network.subnet_of(cidr.network))  # type: ignore[arg-type]


def _global_unicast(ip: IP) -> bool:
    a = ip.address
    broadcast = str(a) == "255.255.255.255"
    return not (a.is_unspecified or a.is_loopback or a.is_multicast or a.is_link_local or broadcast)


def _link_local_multicast(ip: IP) -> bool:
    if isinstance(ip.address, ipaddress.IPv4Address):
        return ip.address in ipaddress.ip_network("224.0.0.0/24")
    return ip.address.packed[0] == 0xFF and ip.address.packed[1] & 0x0F == 2


@lru_cache(maxsize=1024)
def _url(text: str) -> URL:
    """As Go's ParseRequestURI: absolute URL or absolute path."""
    try:
        parts = urlsplit(text)
        bad = not text or any(ord(c) < 32 or c == " " for c in text) or (not parts.scheme and not text.startswith("/"))
        if bad or (parts.scheme and not parts.netloc and not parts.path.startswith("/")):
            raise ValueError
        if parts.netloc:
            _ = parts.port
    except ValueError:
        raise EvaluationError(
            f'URL parse error during conversion from string: parse "{text}": invalid URI for request'
        ) from None
    return URL(
        parts.scheme.lower(), parts.netloc, parts.path + (f"#{parts.fragment}" if parts.fragment else ""), parts.query
    )


def _query(url: URL) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in parse_qsl(url.query, keep_blank_values=True):
        found.setdefault(key, []).append(value)
    return found


declare("ip", "(string) net.IP", _ip)
declare("isIP", "(string) bool", _is(_ip))
declare("ip.isCanonical", "(string) bool", lambda text: str(_ip(text).address) == text)
declare("string", "(net.IP) string", lambda ip: str(ip.address))
declare("family", "net.IP.() int", lambda ip: ip.address.version)
declare("isUnspecified", "net.IP.() bool", lambda ip: ip.address.is_unspecified)
declare("isLoopback", "net.IP.() bool", lambda ip: ip.address.is_loopback)
declare("isLinkLocalMulticast", "net.IP.() bool", _link_local_multicast)
declare("isLinkLocalUnicast", "net.IP.() bool", lambda ip: ip.address.is_link_local)
declare("isGlobalUnicast", "net.IP.() bool", _global_unicast)
declare("cidr", "(string) net.CIDR", _cidr)
declare("isCIDR", "(string) bool", _is(_cidr))
declare("string", "(net.CIDR) string", lambda cidr: f"{cidr.address}/{cidr.network.prefixlen}")
declare("containsIP", "net.CIDR.(net.IP) bool", _contains)
declare("containsIP", "net.CIDR.(string) bool", lambda cidr, text: _contains(cidr, _ip(text)))
declare("containsCIDR", "net.CIDR.(net.CIDR) bool", _contains_cidr)
declare("containsCIDR", "net.CIDR.(string) bool", lambda cidr, text: _contains_cidr(cidr, _cidr(text)))
declare("ip", "net.CIDR.() net.IP", lambda cidr: IP(cidr.address))
declare("prefixLength", "net.CIDR.() int", lambda cidr: cidr.network.prefixlen)
declare("masked", "net.CIDR.() net.CIDR", lambda cidr: CIDR(cidr.network.network_address, cidr.network))
declare("url", "(string) kubernetes.URL", _url)
declare("isURL", "(string) bool", _is(_url))
declare("getScheme", "kubernetes.URL.() string", lambda url: url.scheme)
declare("getHost", "kubernetes.URL.() string", lambda url: url.host)
declare("getHostname", "kubernetes.URL.() string", lambda url: url.hostname)
declare("getPort", "kubernetes.URL.() string", lambda url: url.port)
declare("getEscapedPath", "kubernetes.URL.() string", lambda url: quote(unquote(url.path), safe="/:@!$&'()*+,;=-._~"))
declare("getQuery", "kubernetes.URL.() map(string, list(string))", _query)
