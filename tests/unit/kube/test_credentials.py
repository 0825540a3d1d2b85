from __future__ import annotations

import os
import ssl
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from mlscale.errors import ConfigError, MlscaleError, UsageError
from mlscale.kube.access import Access, ClientCertificate, Overrides
from mlscale.kube.credentials import certificate_files
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from collections.abc import Callable

CERTIFICATE, KEY = pem("hunter2-certificate"), pem("hunter2-key", "PRIVATE KEY")


class Clock:
    """Unix seconds that stand still until they are told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def access(tmp_path: Path, user: dict[str, Any], clock: Clock | None = None, **overrides: Any) -> Access:
    path = written(tmp_path / "config", kubeconfig(user=user))
    return read_access(Overrides(kubeconfig=path, **overrides), {}, clock=clock or Clock())


def failure(call: Callable[[], object]) -> MlscaleError:
    with pytest.raises(MlscaleError) as caught:
        call()
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("user", "options", "header"),
    [
        pytest.param({}, {}, None, id="anonymous"),
        pytest.param({"token": "t"}, {}, "Bearer t", id="token"),
        pytest.param({"token": "t\n"}, {}, "Bearer t", id="a block scalar ends in a newline"),
        pytest.param({"tokenFile": "token"}, {}, "Bearer of-the-file", id="token file"),
        pytest.param({"token": "t", "tokenFile": "token"}, {}, "Bearer of-the-file", id="the file wins over the token"),
        pytest.param({"token": "t", "tokenFile": "none"}, {}, "Bearer t", id="unless it cannot be read"),
        pytest.param({"username": "me", "password": "p:ü"}, {}, "Basic bWU6cDrDvA==", id="basic"),
        pytest.param({"username": "me"}, {}, "Basic bWU6", id="no password"),
        pytest.param({"password": "p"}, {}, None, id="a password alone is nothing"),
        pytest.param({"token": "t"}, {"token": "flag"}, "Bearer flag", id="--token"),
        pytest.param({"tokenFile": "token"}, {"token": "flag"}, "Bearer flag", id="--token over a token file"),
        pytest.param({"username": "me", "password": "p"}, {"token": "flag"}, "Bearer flag", id="--token over basic"),
        pytest.param({"exec": {}}, {"token": "flag"}, "Bearer flag", id="--token runs no plugin"),
        pytest.param({"token": "t"}, {"username": "me", "password": "p"}, "Basic bWU6cA==", id="--username over token"),
        pytest.param({"username": "me", "password": "q"}, {"password": "p"}, "Basic bWU6cA==", id="--password alone"),
    ],
)
def test_which_authorization_counts(
    tmp_path: Path, user: dict[str, Any], options: dict[str, Any], header: str | None
) -> None:
    (tmp_path / "token").write_text(" of-the-file\n")

    got = access(tmp_path, user, **options)

    assert got.credentials.authorization() == header
    assert got.client_certificate is None


@pytest.mark.parametrize(
    ("user", "options", "certificate"),
    [
        pytest.param({"client-certificate": "crt", "client-key": "key"}, {}, ("crt", "key"), id="files"),
        pytest.param({"c": True, "k": True}, {}, (CERTIFICATE, KEY), id="inline"),
        pytest.param({"c": True, "client-key": "key"}, {}, (CERTIFICATE, "key"), id="mixed"),
        pytest.param(
            {"c": True, "k": True, "client-certificate": "none", "client-key": "none"},
            {},
            (CERTIFICATE, KEY),
            id="inline wins over a file",
        ),
        pytest.param(
            {"c": True, "k": True},
            {"client_certificate": "crt", "client_key": "key"},
            ("crt", "key"),
            id="flags win over inline",
        ),
        pytest.param({"c": True, "k": True, "exec": {}}, {}, (CERTIFICATE, KEY), id="with one, no plugin is run"),
        pytest.param({"k": True}, {}, None, id="a key alone is nothing"),
    ],
)
def test_which_certificate_counts(
    tmp_path: Path, user: dict[str, Any], options: dict[str, Any], certificate: tuple[str, str] | None
) -> None:
    (tmp_path / "crt").write_text(CERTIFICATE)
    (tmp_path / "key").write_text(KEY)
    inline = {"c": ("client-certificate-data", encoded(CERTIFICATE)), "k": ("client-key-data", encoded(KEY))}
    fields: dict[str, Any] = dict(inline.get(key, (key, value)) for key, value in user.items())
    paths: dict[str, Any] = {key: str(tmp_path / value) for key, value in options.items()}

    got = access(tmp_path, fields, **paths).client_certificate

    if certificate is None:
        assert got is None
    else:
        wanted = [text.encode() if "-----" in text else tmp_path / text for text in certificate]
        assert got == ClientCertificate(*wanted)


def test_a_token_is_sent_beside_a_certificate(tmp_path: Path) -> None:
    user = {
        "client-certificate-data": encoded(CERTIFICATE),
        "client-key-data": encoded(KEY),
        "token": "t",
    }

    got = access(tmp_path, user)

    assert got.credentials.authorization() == "Bearer t"
    assert got.client_certificate is not None


@pytest.mark.parametrize(
    ("user", "options", "message"),
    [
        (
            {"token": "hunter2", "username": "u"},
            {},
            'user "u" in FILE has a token and a username; only one of them can be used',
        ),
        (
            {"exec": {"command": "x"}, "auth-provider": {"name": "oidc"}},
            {},
            'user "u" in FILE has an exec and an auth-provider; only one of them can be used',
        ),
        ({"exec": "hunter2"}, {}, 'exec of user "u" in FILE is text; it must be a mapping'),
        ({"token": 1}, {}, 'token of user "u" in FILE is a number; it must be a string: put it in quotes'),
        (
            {"token": "hunter2\r\nX-Evil: 1"},
            {},
            'the token of user "u" holds a character that no HTTP header can carry; check how it was pasted or encoded',
        ),
        ({"tokenFile": "none"}, {}, 'cannot read the token file DIR/none of user "u": no such file or directory'),
        ({"tokenFile": "empty"}, {}, 'the token file DIR/empty of user "u" is empty'),
        (
            {"client-certificate": "none", "client-key": "none"},
            {},
            'cannot read the client-certificate of user "u", DIR/none: no such file or directory',
        ),
        (
            {"client-certificate": "crt", "client-key": "none"},
            {},
            'cannot read the client-key of user "u", DIR/none: no such file or directory',
        ),
        (
            {"client-certificate": "crt"},
            {},
            'user "u" in FILE has a client-certificate and no client-key; name its key too',
        ),
        (
            {"client-certificate": "crt", "client-key-data": "hunter2!"},
            {},
            'client-key-data of user "u" in FILE is not base64; encode it anew',
        ),
        (
            {"client-certificate": "crt", "client-key-data": encoded("hunter2")},
            {},
            'the client-key of user "u" is not PEM; it must start with -----BEGIN',
        ),
        (
            {"client-certificate": "crt", "client-key-data": encoded(pem("hunter2", "ENCRYPTED PRIVATE KEY"))},
            {},
            'the client-key of user "u" is encrypted with a passphrase; write it without one (openssl pkey -in KEY)',
        ),
        (
            {},
            {"token": "hunter2\n.x"},
            "--token holds a character that no HTTP header can carry; check how it was pasted or encoded",
        ),
        ({}, {"password": "hunter2"}, "--password needs a user name; give --username too"),
        ({}, {"client_key": "DIR/crt"}, "--client-key needs a certificate; give --client-certificate too"),
        (
            {},
            {"client_certificate": "DIR/none"},
            "cannot read the file of --client-certificate, DIR/none: no such file or directory",
        ),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, user: dict[str, Any], options: dict[str, Any], message: str) -> None:
    (tmp_path / "crt").write_text(CERTIFICATE)
    (tmp_path / "empty").touch()
    options = {key: value.replace("DIR", str(tmp_path)) for key, value in options.items()}

    error = failure(lambda: access(tmp_path, user, **options))

    assert str(error) == message.replace("FILE", f"{tmp_path}/config").replace("DIR", str(tmp_path))
    assert isinstance(error, UsageError if options else ConfigError)


def test_a_token_file_is_read_again_after_50_s(tmp_path: Path) -> None:
    clock, token = Clock(), tmp_path / "token"
    token.write_text("one")
    credentials = access(tmp_path, {"tokenFile": "token"}, clock).credentials
    token.write_text("two")

    clock.now += 49
    assert credentials.authorization() == "Bearer one"
    clock.now += 1
    assert credentials.authorization() == "Bearer two"

    token.unlink()
    clock.now += 3600
    assert credentials.authorization() == "Bearer two", "the last good one, while the file is away"
    token.write_text("bad\x00hunter2")
    clock.now += 3600
    assert credentials.authorization() == "Bearer two"


def test_a_401_reads_the_token_file_at_once(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one")
    credentials = access(tmp_path, {"tokenFile": "token"}).credentials

    assert credentials.refresh() is False, "the same token would be refused again"
    token.write_text("two")
    assert credentials.refresh() is True
    assert credentials.authorization() == "Bearer two"


def test_a_fixed_token_cannot_be_renewed(tmp_path: Path) -> None:
    assert access(tmp_path, {"token": "t"}).credentials.refresh() is False


def test_a_token_file_serves_many_threads(tmp_path: Path) -> None:
    clock, token = Clock(), tmp_path / "token"
    token.write_text("one")
    credentials = access(tmp_path, {"tokenFile": "token"}, clock).credentials
    token.write_text("two")
    clock.now += 60
    seen: list[str | None] = []

    threads = [threading.Thread(target=lambda: seen.append(credentials.authorization())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == ["Bearer two"] * 8


@pytest.fixture(scope="module")
def issued() -> trustme.LeafCert:
    return trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("me")


@pytest.mark.parametrize("memory", [True, False], ids=["memory", "temporary file"])
def test_inline_certificates_load_and_leave_nothing(
    issued: trustme.LeafCert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: bool
) -> None:
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pem_ = ClientCertificate(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    with certificate_files(pem_) as (certificate, key):
        context.load_cert_chain(certificate, key)
        assert Path(key).read_bytes() == issued.private_key_pem.bytes()
        assert stat.S_IMODE(os.stat(key).st_mode) & 0o077 == 0 or key.startswith("/proc/self/fd/")
        on_disk = list(tmp_path.iterdir())

    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists(key)
    assert len(on_disk) == (0 if memory and hasattr(os, "memfd_create") else 2)


def test_nothing_is_left_when_loading_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    with (
        pytest.raises(ssl.SSLError),
        certificate_files(ClientCertificate(CERTIFICATE.encode(), KEY.encode())) as (certificate, key),
    ):
        context.load_cert_chain(certificate, key)

    assert list(tmp_path.iterdir()) == []


def test_files_are_used_where_they_are(tmp_path: Path) -> None:
    with certificate_files(ClientCertificate(tmp_path / "crt", tmp_path / "key")) as paths:
        assert paths == (str(tmp_path / "crt"), str(tmp_path / "key"))
