"""Which HTTP proxy a request goes through, as Go's net/http decides (golang.org/x/net/http/httpproxy)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlscale.errors import ConfigError
from mlscale.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address


@frozen
class Proxy:
    """An HTTP proxy; ``authorization`` is the value for Proxy-Authorization, if its URL has a user."""

    host: str
    port: int
    authorization: str | None = None


def proxy_for(scheme: str, host: str, port: int, proxy_url: str | None, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for ``scheme://host:port``: the kubeconfig's ``proxy-url``, else the environment's.

    NO_PROXY and the rule that loopback is never proxied hold for the environment only.
    Raises ConfigError for a proxy that is no HTTP proxy.
    """
    if proxy_url:
        return _parsed(proxy_url, "the kubeconfig's proxy-url")
    name = f"{scheme.upper()}_PROXY"
    url = environ.get(name) or environ.get(name.lower())
    if not url or _is_loopback(host):
        return None
    no_proxy = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if any(_bypasses(entry.strip().lower(), host.lower(), port) for entry in no_proxy.split(",")):
        return None
    return _parsed(url, name)


def _parsed(url: str, source: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usable = parts.scheme == "http" and parts.hostname and parts.port != 0
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"{source} is not a proxy that mlscale can use", "give it as http://HOST:PORT")
    if parts.username is None:
        return Proxy(host, port)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, "Basic " + base64.b64encode(user.encode()).decode())


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _bypasses(entry: str, host: str, port: int) -> bool:
    """Whether the NO_PROXY ``entry`` covers ``host``: ``*``, a domain and its subdomains, an IP, a CIDR, a port."""
    if entry in ("", "*"):
        return entry == "*"
    if "/" in entry:
        return _in_network(entry, host)
    name, separator, entry_port = entry.rpartition(":")
    if separator and entry_port.isdecimal() and (":" not in name or name.endswith("]")):
        if entry_port != str(port):
            return False
        entry = name.strip("[]")
    address = _address(entry)
    if address is not None:
        return address == _address(host)
    domain = entry[1:] if entry.startswith("*.") else entry
    return bool(domain) and (host.endswith(domain) if domain.startswith(".") else f".{host}".endswith(f".{domain}"))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if not (":" in text or text[-1:].isdecimal()):
        return None
    import ipaddress

    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _in_network(entry: str, host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
