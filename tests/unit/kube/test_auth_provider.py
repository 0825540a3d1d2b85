from __future__ import annotations

import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import trustme
import yaml

from mlscale.errors import ConfigError
from mlscale.kube import auth_provider
from mlscale.kube.access import Access, Overrides
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def jwt(*, seconds_left: float) -> str:
    """A token of the form that OIDC uses, unsigned, that ends in ``seconds_left``."""
    claims = {"exp": int(time.time() + seconds_left), "sub": "hunter2"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, "signature"])


def access(tmp_path: Path, provider: dict[str, Any], **user: Any) -> Access:
    path = written(tmp_path / "config", kubeconfig(user={"auth-provider": provider} | user))
    return read_access(Overrides(kubeconfig=path), {})


class Issuer(http.server.BaseHTTPRequestHandler):
    """An OIDC issuer that gives ``renewed`` for the refresh token "once"."""

    renewed: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._send(200, {"token_endpoint": f"https://{self.headers['Host']}/token"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(body)
        tokens = {"id_token": self.renewed, "refresh_token": "twice", "access_token": "x", "token_type": "Bearer"}
        self._send(*((200, tokens) if "refresh_token=once" in body else (400, {"error": "invalid_grant"})))

    def _send(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def issuer(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(Issuer, "renewed", jwt(seconds_left=3600))
    monkeypatch.setattr(Issuer, "asked", [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def oidc(
    issuer: str, authority: trustme.CA | None = None, *, refresh: str = "once", left: float = -60
) -> dict[str, Any]:
    config = {
        "idp-issuer-url": issuer,
        "client-id": "id",
        "client-secret": "hunter2",
        "id-token": jwt(seconds_left=left),
        "refresh-token": refresh,
    }
    if authority:
        config["idp-certificate-authority-data"] = base64.b64encode(authority.cert_pem.bytes()).decode()
    return {"name": "oidc", "config": config}


def test_a_token_that_holds_is_used_as_it_is(tmp_path: Path, issuer: str) -> None:
    provider = oidc(issuer, left=3600)
    got = access(tmp_path, provider)
    before = (tmp_path / "config").read_text()

    assert got.credentials.authorization() == f"Bearer {provider['config']['id-token']}"
    assert got.credentials.refresh() is False
    assert Issuer.asked == []
    assert (tmp_path / "config").read_text() == before


def test_an_expired_token_is_renewed_and_written_back(tmp_path: Path, issuer: str, authority: trustme.CA) -> None:
    got = access(tmp_path, oidc(issuer, authority))

    assert got.credentials.authorization() == f"Bearer {Issuer.renewed}"
    assert got.credentials.authorization() == f"Bearer {Issuer.renewed}"
    assert len(Issuer.asked) == 1
    kept = yaml.safe_load((tmp_path / "config").read_text())
    # Not written back, the refresh token would be spent and the next run would fail.
    assert kept["users"][0]["user"]["auth-provider"]["config"]["refresh-token"] == "twice"
    assert kept["users"][0]["user"]["auth-provider"]["config"]["id-token"] == Issuer.renewed
    assert kept["current-context"] == "a"
    assert [context["name"] for context in kept["contexts"]] == ["a"]
    assert [cluster["name"] for cluster in kept["clusters"]] == ["c"]


def test_the_issuer_is_verified_even_without_a_ca(tmp_path: Path, issuer: str) -> None:
    # The official client alone switches verification off then, and would send the client's secret to anyone.
    credentials = access(tmp_path, oidc(issuer)).credentials

    with pytest.raises(ConfigError) as caught:
        credentials.authorization()

    assert Issuer.asked == []
    assert str(caught.value) == (
        f'the auth-provider of user "u" in {tmp_path}/config gave no token: MaxRetryError; '
        "log in again, or use an exec plugin"
    )


@pytest.mark.parametrize(
    ("change", "ending"),
    [
        pytest.param({"refresh-token": "spent"}, "gave no token: InvalidGrantError", id="refresh token refused"),
        pytest.param({"id-token": "hunter2"}, "gave no token", id="no JWT"),
        pytest.param({"id-token": None}, "gave no token: ConfigException", id="no token"),
    ],
)
def test_a_login_that_is_over(
    tmp_path: Path, issuer: str, authority: trustme.CA, change: dict[str, Any], ending: str
) -> None:
    provider = oidc(issuer, authority)
    provider["config"] |= change

    with pytest.raises(ConfigError) as caught:
        access(tmp_path, provider).credentials.authorization()

    assert caught.value.message == f'the auth-provider of user "u" in {tmp_path}/config {ending}'
    assert "hunter2" not in str(caught.value)


def test_gcp_runs_its_command(tmp_path: Path) -> None:
    script = tmp_path / "gcloud"
    answer = {"credential": {"access_token": "t", "token_expiry": "2099-01-01T00:00:00Z"}}
    script.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    script.chmod(0o755)
    provider = {"name": "gcp", "config": {"cmd-path": str(script), "cmd-args": "config"}}

    got = access(tmp_path, provider)

    assert got.credentials.authorization() == "Bearer t"


@pytest.mark.parametrize("name", ["azure", "", "\x1b[31m"])
def test_a_provider_that_is_gone(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="which clients no longer have; use the exec plugin") as caught:
        access(tmp_path, {"name": name}).credentials.authorization()

    assert "\x1b" not in str(caught.value)


def test_a_certificate_stays_beside_the_provider_and_touches_no_disk(
    tmp_path: Path, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    certificate = {"client-certificate-data": encoded(pem("c")), "client-key-data": encoded(pem("k", "PRIVATE KEY"))}
    got = access(tmp_path, oidc(issuer, left=3600), **certificate)

    assert got.credentials.authorization()
    assert got.client_certificate is not None
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_official_client_is_imported_at_first_use_only(tmp_path: Path) -> None:
    path = written(tmp_path / "config", kubeconfig(user={"auth-provider": oidc("https://none", left=3600)}))
    program = f"""
import sys
from mlscale.kube.access import Overrides
from mlscale.kube.kubeconfig import read_access
access = read_access(Overrides(kubeconfig={path!r}), {{}})
print("kubernetes" in sys.modules)
access.credentials.authorization()
print("kubernetes" in sys.modules)
"""

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "True"]
    assert auth_provider.__name__ in sys.modules
