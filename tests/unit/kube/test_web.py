"""Plain GETs to a server beside the API server: URLs, headers, credentials from the environment."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError, UsageError
from mlscale.kube.access import Access
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.web import Web, environment_authorization, environment_headers, web_access
from tests.clients import access
from tests.recording_server import NO_ANSWER, Answer, RecordingServer, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlscale.kube.access import ClientCertificate


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def test_a_get_carries_query_headers_and_credentials(server: RecordingServer) -> None:
    server.answers["GET /prometheus/api"] = Answer({"a": 1})
    found = web_access(f"{server.url}/prometheus/", "Bearer s3cret", option="--prometheus")
    response = Web(found, timeout=5, headers=[("X-Scope-OrgID", "ten")]).get("/api", {"query": "a{b='c d'}&x=1"})
    assert (response.status, response.body) == (200, b'{"a": 1}')
    (request,) = server.requests
    assert request.query == {"query": "a{b='c d'}&x=1"}
    assert [request.header(name) for name in ("Authorization", "X-Scope-OrgID", "Accept-Encoding")] == [
        "Bearer s3cret",
        "ten",
        "identity",  # on loopback packing costs more than it saves
    ]
    assert str(request.header("User-Agent")).startswith("mlscale/")


def test_through_the_api_server_it_goes_as_the_user(server: RecordingServer) -> None:
    server.answers["GET /proxy/api"] = Answer({})
    Web(access(server.url, authorization="Bearer t", as_user="jane"), timeout=5, prefix="/proxy").get("/api", {})
    assert server.requests[0].header("Impersonate-User") == "jane"


class Renewed:
    """Credentials that differ after a 401."""

    token = "old"

    def authorization(self) -> str:
        return f"Bearer {self.token}"

    def client_certificate(self) -> ClientCertificate | None:
        return None

    def refresh(self) -> bool:
        self.token, changed = "new", self.token != "new"
        return changed


def test_a_401_is_asked_again_once_with_new_credentials(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer(status=401)
    known = access(server.url)
    renewed = Access(**{**known.__dict__, "credentials": Renewed()})
    assert Web(renewed, timeout=5).get("/a", {}).status == 401
    assert [request.header("Authorization") for request in server.requests] == ["Bearer old", "Bearer new"]


def test_a_lost_connection_is_explained_by_the_hint_given(server: RecordingServer) -> None:
    server.answers["GET /a"] = NO_ANSWER
    found = web_access(server.url, None, option="--prometheus")
    with pytest.raises(ConnectionFailedError, match="closed the connection without an answer; look there"):
        Web(found, timeout=5, hint="look there").get("/a", {})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://prom.example", "https://prom.example"),
        ("prom:9090", "http://prom:9090"),
        ("http://[::1]:9090/select/0/prometheus/", "http://[::1]:9090/select/0/prometheus"),
        ("https://prom.example/x?y#z", "https://prom.example/x"),
    ],
)
def test_urls(url: str, server: str) -> None:
    assert web_access(url, None, option="--prometheus").server == server


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host", "http://", "http://h:0", "http://h:x", "http://a b", "http://h\n", "http://[::1", "http://ü"],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(UsageError, match="--prometheus is not a URL that can be asked; give one such as"):
        web_access(url, None, option="--prometheus")


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        web_access("https://me:s3cret@host", None, option="--prometheus")
    assert "s3cret" not in str(caught.value)
    assert "by the environment" in str(caught.value)


BASIC = "Basic " + base64.b64encode(b"me:pw").decode()


@pytest.mark.parametrize(
    ("environ", "header"),
    [
        ({}, None),
        ({"P_TOKEN": ""}, None),
        ({"P_TOKEN": " abc\n"}, "Bearer abc"),
        ({"P_TOKEN_FILE": "token"}, "Bearer from-file"),
        ({"P_USERNAME": "me", "P_PASSWORD": "pw"}, BASIC),
        ({"P_USERNAME": "me", "P_PASSWORD_FILE": "password"}, BASIC),
        ({"P_USERNAME": "me"}, "Basic " + base64.b64encode(b"me:").decode()),
        ({"OTHER_TOKEN": "abc"}, None),
    ],
)
def test_credentials_of_the_environment(environ: dict[str, str], header: str | None, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "password").write_text("pw\n")
    assert environment_authorization(in_folder(environ, tmp_path), "P") == header


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"P_TOKEN": "s3cret", "P_USERNAME": "me"}, "P_TOKEN and P_USERNAME are both set"),
        ({"P_TOKEN": "s3cret", "P_TOKEN_FILE": "token"}, "P_TOKEN and P_TOKEN_FILE are both set"),
        ({"P_PASSWORD": "s3cret"}, "P_PASSWORD needs a user name"),
        ({"P_TOKEN": "s3\x01cret"}, "P_TOKEN holds a character that no HTTP header can carry"),
        ({"P_TOKEN": "s3\ncret"}, "P_TOKEN holds a character that no HTTP header can carry"),
        ({"P_TOKEN_FILE": "absent"}, "cannot read .*absent, the P_TOKEN_FILE: no such file or directory"),
        ({"P_TOKEN_FILE": "."}, "cannot read .*, the P_TOKEN_FILE: is a directory"),
        ({"P_TOKEN_FILE": "binary"}, "cannot read .*binary, the P_TOKEN_FILE: it is no text"),
    ],
)
def test_credentials_that_cannot_be_used(environ: dict[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=said) as caught:
        environment_authorization(in_folder(environ, tmp_path), "P")
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({}, []),
        ({"P_HEADERS": "X-Scope-OrgID: a|b\n\n X-Key : k:v "}, [("X-Scope-OrgID", "a|b"), ("X-Key", "k:v")]),
        ({"P_HEADERS_FILE": "headers"}, [("A", "1")]),
    ],
)
def test_headers_of_the_environment(environ: dict[str, str], headers: Any, tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("A: 1\n")
    assert environment_headers(in_folder(environ, tmp_path), "P") == headers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: 1\ns3cret", "line 2 of P_HEADERS is not a header; write it as in X-Scope-OrgID: tenant"),
        (": s3cret", "line 1 of P_HEADERS is not a header"),
        ("A B: s3cret", "line 1 of P_HEADERS is not a header"),
        ("A: s3\x1bcret", "line 1 of P_HEADERS holds a character that no HTTP header can carry"),
    ],
)
def test_headers_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        environment_headers({"P_HEADERS": text}, "P")
    assert "cret" not in str(caught.value)


def in_folder(environ: dict[str, str], folder: Path) -> dict[str, str]:
    """``environ`` with its files in ``folder``."""
    return {name: str(folder / value) if name.endswith("_FILE") else value for name, value in environ.items()}
