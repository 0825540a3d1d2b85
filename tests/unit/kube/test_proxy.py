"""Which proxy counts: the rules of golang.org/x/net/http/httpproxy (config.go), as kubectl has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import ConfigError
from mlscale.kube.proxy import Proxy, proxy_for

PROXY = Proxy("proxy.test", 3128)
URL = "http://proxy.test:3128"


def is_proxied(host: str, port: int, no_proxy: str) -> bool:
    environ = {"HTTPS_PROXY": URL, "NO_PROXY": no_proxy}
    return proxy_for("https", host, port, None, environ) is not None


CHOICE: list[tuple[str, dict[str, str], Proxy | None]] = [
    ("https", {"HTTPS_PROXY": URL}, PROXY),
    ("https", {"https_proxy": URL}, PROXY),
    ("http", {"HTTP_PROXY": URL}, PROXY),
    ("http", {"http_proxy": URL}, PROXY),
    # Upper case wins, and only the variable of the scheme counts.
    ("https", {"HTTPS_PROXY": URL, "https_proxy": "http://other.test:1"}, PROXY),
    ("https", {"HTTP_PROXY": URL}, None),
    ("http", {"HTTPS_PROXY": URL}, None),
    ("https", {"ALL_PROXY": URL}, None),
    ("https", {"HTTPS_PROXY": ""}, None),
    ("https", {"HTTPS_PROXY": URL, "no_proxy": "api.test"}, None),
    ("https", {"HTTPS_PROXY": URL, "NO_PROXY": "other.test", "no_proxy": "api.test"}, PROXY),
    # Without a scheme it is http; without a port it is 80.
    ("https", {"HTTPS_PROXY": "proxy.test:3128"}, PROXY),
    ("https", {"HTTPS_PROXY": "proxy.test"}, Proxy("proxy.test", 80)),
    ("https", {"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, Proxy("2001:db8::1", 3128)),
    ("https", {"HTTPS_PROXY": "http://u:p%40@proxy.test:3128"}, Proxy("proxy.test", 3128, "Basic dTpwQA==")),
    ("https", {"HTTPS_PROXY": "http://u@proxy.test:3128"}, Proxy("proxy.test", 3128, "Basic dTo=")),
]


@pytest.mark.parametrize(("scheme", "environ", "expected"), CHOICE)
def test_the_environment_names_the_proxy(scheme: str, environ: dict[str, str], expected: Proxy | None) -> None:
    assert proxy_for(scheme, "api.test", 6443, None, environ) == expected


# (host, NO_PROXY, whether the proxy is passed by); the port is 6443.
BYPASS = [
    ("api.test", "", False),
    ("api.test", "*", True),
    ("api.test", "other.test,*", True),
    ("api.test", "api.test", True),
    ("api.test", "API.Test", True),
    ("API.test", "api.test", True),
    ("api.test", " api.test , x", True),
    ("api.test", "test", True),
    ("a.api.test", "api.test", True),
    ("notapi.test", "api.test", False),
    ("api.test.evil", "api.test", False),
    # A leading dot takes the subdomains only.
    ("api.test", ".api.test", False),
    ("a.api.test", ".api.test", True),
    ("api.test", "*.test", True),
    ("test", "*.test", False),
    ("notapi.test", "*api.test", False),
    # With a port.
    ("api.test", "api.test:6443", True),
    ("api.test", "api.test:443", False),
    ("a.api.test", ".api.test:6443", True),
    ("a.api.test", "*.api.test:443", False),
    ("api.test", ":6443", False),
    ("api.test", ",,", False),
    # IP addresses: themselves, with a port, and CIDRs; never as a suffix.
    ("10.0.0.1", "10.0.0.1", True),
    ("10.0.0.1", "10.0.0.1:6443", True),
    ("10.0.0.1", "10.0.0.1:443", False),
    ("10.0.0.11", "10.0.0.1", False),
    ("110.0.0.1", "10.0.0.1", False),
    ("10.0.0.1", "10.0.0.0/8", True),
    ("10.0.0.1", "10.9.9.9/8", True),
    ("11.0.0.1", "10.0.0.0/8", False),
    ("api.test", "10.0.0.0/8", False),
    ("10.0.0.1", "10.0.0.0/99", False),
    ("2001:db8::1", "2001:db8::1", True),
    ("2001:db8::1", "2001:0db8:0:0::1", True),
    ("2001:db8::1", "[2001:db8::1]:6443", True),
    ("2001:db8::1", "[2001:db8::1]:443", False),
    ("2001:db8::1", "2001:db8::/32", True),
    ("2001:db9::1", "2001:db8::/32", False),
]


@pytest.mark.parametrize(("host", "no_proxy", "passed_by"), BYPASS)
def test_no_proxy(host: str, no_proxy: str, passed_by: bool) -> None:
    assert is_proxied(host, 6443, no_proxy) is not passed_by


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_never_proxied_by_the_environment(host: str) -> None:
    assert not is_proxied(host, 6443, "")
    # The kubeconfig's proxy-url counts for every host: client-go asks http.ProxyURL.
    assert proxy_for("https", host, 6443, URL, {"NO_PROXY": "*"}) == PROXY


@pytest.mark.parametrize("host", ["127.0.0.1.nip.io", "127.example.org", "localhost.test", "128.0.0.1"])
def test_what_only_looks_like_loopback_is_proxied(host: str) -> None:
    assert is_proxied(host, 6443, "")


@pytest.mark.parametrize(
    "url",
    [
        "socks5://proxy.test:1080",
        "socks5h://proxy.test",
        "https://proxy.test",
        "http://",
        "http://:3128",
        "http://proxy.test:99999",
        "http://proxy.test:0",
        "http://proxy.test:x",
        "http://[::1",
    ],
)
def test_what_is_no_http_proxy_is_refused_without_showing_it(url: str) -> None:
    secret = url.replace("proxy.test", "user:hunter2@proxy.test")
    with pytest.raises(ConfigError) as caught:
        proxy_for("https", "api.test", 443, secret, {})
    assert str(caught.value) == (
        "the kubeconfig's proxy-url is not a proxy that mlscale can use; give it as http://HOST:PORT"
    )
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not a proxy"):
        proxy_for("https", "api.test", 443, None, {"HTTPS_PROXY": secret})


LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)


@given(labels=st.lists(LABEL, min_size=1, max_size=4), kept=st.integers(1, 4), port=st.integers(1, 65535))
def test_an_entry_covers_its_domain_and_all_below(labels: list[str], kept: int, port: int) -> None:
    host, entry = ".".join([*labels, "test"]), ".".join([*labels[-kept:], "test"])
    assert not is_proxied(host, port, entry)
    assert not is_proxied(host, port, f"{entry}:{port}")
    assert is_proxied(f"x{host}", port, f"{host}:{port}")
