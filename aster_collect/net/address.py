"""Where a connection goes: the host that a URL names, and the proxy that the environment names for it. Pure."""

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..wording import without_secret

TLS_PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}


class Endpoint(NamedTuple):
    """A host and port that a URL names; `authorization` is the header's value for its user and password, or empty."""

    host: str
    port: int
    tls: bool = False
    authorization: str = ""

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def netloc(self) -> str:
        """Host and port as a URL or a Host header has them: without the port where it is the usual one."""
        return _bracketed(self.host) if self.port == (443 if self.tls else 80) else str(self)


class Route(NamedTuple):
    """An endpoint, and the proxy that leads to it, if one does."""

    to: Endpoint
    proxy: Endpoint | None

    def __str__(self) -> str:
        return f"{self.to} by way of proxy {self.proxy}" if self.proxy else str(self.to)


def route(url: str, environment: Mapping[str, str]) -> Route:
    """Return the way to the host of a URL; raise `ValueError` where the environment's proxy can't be one."""
    to = _endpoint(url)
    name = "https_proxy" if to.tls else "http_proxy"
    proxy = _named(name, environment).replace(" ", "")
    if not proxy or _is_direct(to, _named("no_proxy", environment)):
        return Route(to, None)
    try:
        by = _endpoint(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError as error:
        raise ValueError(f"{name}: {without_secret(proxy)[:60]!r} given, http://HOST[:PORT] allowed") from error
    return Route(to, by._replace(tls=False))


def _endpoint(url: str) -> Endpoint:
    parts = urlsplit(url)
    if parts.scheme not in TLS_PORTS or not parts.hostname:
        raise ValueError("no host, or a scheme that is not known here")
    port = TLS_PORTS[parts.scheme]
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    authorization = f"Basic {b64encode(user.encode()).decode('ascii')}" if user else ""
    return Endpoint(parts.hostname, parts.port or port, port == 443, authorization)


def _named(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _is_direct(to: Endpoint, exceptions: str) -> bool:
    """Return whether no proxy is to be asked: for this machine itself, and for what `no_proxy` names."""
    address = _address(to.host)
    if to.host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_is_meant(one.strip().lower(), to, address) for one in exceptions.split(","))


def _is_meant(exception: str, to: Endpoint, address: "ipaddress.IPv4Address | ipaddress.IPv6Address | None") -> bool:
    if exception == "*":
        return True
    if address is not None:
        try:
            return address in ipaddress.ip_network(exception, strict=False)
        except ValueError:
            return exception == str(to)
    domain = exception.removeprefix("*").removeprefix(".")
    return bool(domain) and (domain in (to.host, str(to)) or to.host.endswith(f".{domain}"))


def _address(host: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
