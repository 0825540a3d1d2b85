"""TLS against a server with certificates of its own authority: what is verified, and how a refusal reads."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from mlscale.kube.access import ClientCertificate
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access
from tests.recording_server import Answer, RecordingServer, TunnelProxy, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlscale.kube.transport import Response


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[RecordingServer]:
    with recording_server(server_context(authority.issue_cert("127.0.0.1"))) as running:
        running.answers["GET /a"] = running.answers["PATCH /a"] = Answer({})
        yield running


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def get(server: str, **more: Any) -> Response:
    return Transport(access(server, **more), timeout=5).request("GET", "/a", [], None)


def failure(server: str, **more: Any) -> str:
    with pytest.raises(ConnectionFailedError) as caught:
        get(server, **more)
    return str(caught.value)


def test_a_certificate_of_the_authority_is_trusted(server: RecordingServer, authority: trustme.CA) -> None:
    connection = Transport(access(server.url, certificate_authority=pem(authority)), timeout=5)
    for _ in range(3):
        assert connection.request("GET", "/a", [], None).status == 200
    assert {request.connection for request in server.requests} == {0}


def test_another_authority_is_not_trusted(server: RecordingServer) -> None:
    message = failure(server.url, certificate_authority=pem(trustme.CA()))
    assert message.startswith(f"the certificate of the server 127.0.0.1:{server.port} is not trusted: ")
    assert message.endswith("; check certificate-authority of cluster 'lab' in ~/.kube/config")
    assert server.requests == []


def test_without_an_authority_the_system_s_count(server: RecordingServer) -> None:
    assert "is not trusted: " in failure(server.url)


def test_insecure_skips_all_checks(server: RecordingServer) -> None:
    assert get(server.url, insecure_skip_tls_verify=True).status == 200


def test_a_certificate_for_another_name_says_what_to_give(authority: trustme.CA) -> None:
    with recording_server(server_context(authority.issue_cert("api.test"))) as server:
        message = failure(server.url, certificate_authority=pem(authority))
        assert "IP address mismatch, certificate is not valid for '127.0.0.1'; check" in message
        assert message.endswith("or give --tls-server-name")


def test_tls_server_name_stands_in_for_the_host(authority: trustme.CA) -> None:
    with recording_server(server_context(authority.issue_cert("api.test"))) as server:
        server.answers["GET /a"] = Answer({})
        assert get(server.url, certificate_authority=pem(authority), tls_server_name="api.test").status == 200
        message = failure(server.url, certificate_authority=pem(authority), tls_server_name="other.test")
        assert "certificate is not valid for 'other.test'" in message


def test_an_expired_certificate_is_refused(authority: trustme.CA) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with recording_server(server_context(old)) as server:
        message = failure(server.url, certificate_authority=pem(authority))
        assert "is not trusted: certificate has expired; renew the server's certificate" in message


def test_https_on_a_plain_port_says_so() -> None:
    with recording_server() as plain:
        message = failure(f"https://127.0.0.1:{plain.port}", insecure_skip_tls_verify=True)
        assert message == (
            f"no TLS connection to the server 127.0.0.1:{plain.port}: it does not speak TLS; "
            "check the server's address and port"
        )


def test_http_on_a_tls_port_is_one_error(server: RecordingServer) -> None:
    message = failure(f"http://127.0.0.1:{server.port}")
    assert f"the server 127.0.0.1:{server.port} " in message
    assert server.requests == []


@pytest.fixture
def demanding(authority: trustme.CA) -> Iterator[RecordingServer]:
    """A server that asks for a client certificate; TLS 1.2, where the handshake itself fails without one."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with recording_server(context) as running:
        running.answers["GET /a"] = Answer({})
        yield running


@pytest.mark.parametrize("kind", ["inline", "files"])
def test_a_client_certificate_is_shown(
    demanding: RecordingServer, authority: trustme.CA, tmp_path: Path, kind: str
) -> None:
    issued = authority.issue_cert("admin@example.org")
    chain, key = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    certificate = ClientCertificate(chain, key)
    if kind == "files":
        (tmp_path / "c.pem").write_bytes(chain)
        (tmp_path / "k.pem").write_bytes(key)
        certificate = ClientCertificate(tmp_path / "c.pem", tmp_path / "k.pem")
    assert get(demanding.url, certificate_authority=pem(authority), certificate=certificate).status == 200


def test_a_missing_client_certificate_is_one_error(demanding: RecordingServer, authority: trustme.CA) -> None:
    message = failure(demanding.url, certificate_authority=pem(authority))
    assert f"127.0.0.1:{demanding.port}" in message
    assert demanding.requests == []


def test_an_https_server_is_reached_through_a_tunnel(server: RecordingServer, authority: trustme.CA) -> None:
    proxy = TunnelProxy(server.port)
    try:
        proxied = access(
            "https://api.test:6443",
            certificate_authority=pem(authority),
            tls_server_name="127.0.0.1",
            proxy_url=f"http://me:secret@127.0.0.1:{proxy.port}",
        )
        connection = Transport(proxied, timeout=5)
        for _ in range(2):
            assert connection.request("GET", "/a", [], None).status == 200
    finally:
        proxy.close()
    (head,) = proxy.heads
    assert head.startswith("CONNECT api.test:6443 HTTP/1.")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0" in head
    # What is for the proxy stays with the proxy.
    assert [request.header("Proxy-Authorization") for request in server.requests] == [None, None]
    assert [request.target for request in server.requests] == ["/a", "/a"]


def test_a_proxy_that_refuses_is_named(server: RecordingServer, authority: trustme.CA) -> None:
    proxy = TunnelProxy(server.port, "407 Proxy Authentication Required")
    try:
        message = failure("https://api.test:6443", proxy_url=f"http://127.0.0.1:{proxy.port}")
    finally:
        proxy.close()
    assert f"api.test:6443 (through the proxy 127.0.0.1:{proxy.port}): Tunnel connection failed: 407" in message


def test_a_connection_that_the_server_ended_is_replaced(authority: trustme.CA) -> None:
    with recording_server(server_context(authority.issue_cert("127.0.0.1"))) as server:
        server.answers["GET /a"] = [Answer({}, close=True), Answer({"n": 2})]
        connection = Transport(access(server.url, certificate_authority=pem(authority)), timeout=5)
        connection.request("GET", "/a", [], None)
        assert connection.request("GET", "/a", [], None).body == b'{"n": 2}'
