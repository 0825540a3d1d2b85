from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.kube.access import Access, Overrides
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import TWO, encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from pathlib import Path


def access(tmp_path: Path, config: dict[str, Any], environ: dict[str, str] | None = None, **overrides: Any) -> Access:
    path = written(tmp_path / "config", config)
    return read_access(
        Overrides(kubeconfig=path, **overrides), environ or {}, service_account=tmp_path / "no-service-account"
    )


@pytest.mark.parametrize(
    ("options", "server", "user", "namespace"),
    [
        pytest.param({}, "https://c:6443", "u", "team", id="the current context"),
        pytest.param(
            {"context": "b"}, "https://d:6443/prefix", "v", "default", id="--context, whose namespace is unset"
        ),
        pytest.param({"cluster": "d"}, "https://d:6443/prefix", "u", "team", id="--cluster keeps user and namespace"),
        pytest.param({"user": "v"}, "https://c:6443", "v", "team", id="--user keeps cluster and namespace"),
        pytest.param({"namespace": "other"}, "https://c:6443", "u", "other", id="-n wins over the context"),
        pytest.param({"server": "https://e"}, "https://e", "u", "team", id="--server wins over the cluster"),
        pytest.param({"server": "e:8080"}, "http://e:8080", "u", "team", id="no scheme is http, as in client-go"),
        pytest.param({"server": "https://[::1]:6443"}, "https://[::1]:6443", "u", "team", id="IPv6"),
        pytest.param({"context": "", "namespace": ""}, "https://c:6443", "u", "team", id="empty is not given"),
    ],
)
def test_options_choose(tmp_path: Path, options: dict[str, Any], server: str, user: str, namespace: str) -> None:
    got = access(tmp_path, TWO, **options)

    assert (got.server, got.user, got.namespace) == (server, user, namespace)
    assert got.kubeconfig == str(tmp_path / "config")


def test_a_server_of_the_command_line_drops_the_tls_server_name_of_the_kubeconfig(tmp_path: Path) -> None:
    # Kept, the certificate of https://e would be checked against a name of cluster d.
    assert access(tmp_path, TWO, context="b").tls_server_name == "api.d"
    assert access(tmp_path, TWO, context="b", server="https://e").tls_server_name is None
    assert access(tmp_path, TWO, context="b", server="https://e", tls_server_name="x").tls_server_name == "x"


def test_first_file_wins_whole_and_missing_files_are_ignored(tmp_path: Path) -> None:
    first = kubeconfig(user={"token": "first"}, contexts=[])
    del first["current-context"]
    second = kubeconfig(user={"token": "second", "as": "someone"}, cluster={"server": "https://second"})
    paths = [
        str(tmp_path / "missing"),
        written(tmp_path / "1", first),
        written(tmp_path / "2", second),
        written(tmp_path / "3", kubeconfig(current_context="z")),
    ]

    got = read_access(Overrides(), {"KUBECONFIG": ":".join(["", *paths])}, service_account=tmp_path / "none")

    assert got.context == "a", "the first current-context that is set"
    assert got.server == "https://c:6443", "not the second file's"
    assert got.credentials.authorization() == "Bearer first"
    assert got.as_user == "", "an entry is not mixed from two files"
    assert got.kubeconfig == ", ".join(paths[1:])


def test_relative_paths_start_at_the_file_they_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ca.crt").write_text(pem(folder))
        (tmp_path / folder / "token").write_text(folder)
    one = kubeconfig(cluster={"server": "https://c", "certificate-authority": "ca.crt"}, users=[])
    written(tmp_path / "one" / "config", one)
    written(tmp_path / "two" / "config", kubeconfig(user={"tokenFile": "./token"}, clusters=[]))

    got = read_access(Overrides(), {"KUBECONFIG": "one/config:two/config"}, service_account=tmp_path / "none")

    assert got.certificate_authority == pem("one")
    assert got.credentials.authorization() == "Bearer two"


def test_home_is_the_default_and_a_tilde_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / ".kube" / "config", kubeconfig())
    monkeypatch.setenv("HOME", str(tmp_path))

    assert read_access(Overrides(), {"HOME": str(tmp_path)}).kubeconfig == path
    # bash leaves the tilde of --kubeconfig=~/.kube/config as it is
    assert read_access(Overrides(kubeconfig="~/.kube/config"), {}).kubeconfig == path


def test_trust_comes_from_data_before_a_file(tmp_path: Path) -> None:
    cluster = {
        "server": "https://c",
        "certificate-authority-data": encoded("Übersicht\n" + pem("one") + "between" + pem("two")),
        "certificate-authority": "not-there.crt",
    }

    got = access(tmp_path, kubeconfig(cluster=cluster))

    assert got.certificate_authority == pem("one") + pem("two"), "certificates only"


@pytest.mark.parametrize(
    ("cluster", "options", "trusted", "insecure"),
    [
        pytest.param({}, {}, False, False, id="the system's CAs"),
        pytest.param({"insecure-skip-tls-verify": True}, {}, False, True, id="insecure"),
        pytest.param({"ca": True}, {"insecure_skip_tls_verify": True}, False, True, id="the flag drops the CA"),
        pytest.param({"insecure-skip-tls-verify": True}, {"ca": True}, True, False, id="a CA flag drops insecure"),
        pytest.param(
            {"insecure-skip-tls-verify": True}, {"insecure_skip_tls_verify": False}, False, False, id="=false verifies"
        ),
    ],
)
def test_trust_of_kubeconfig_and_flags(
    tmp_path: Path, cluster: dict[str, Any], options: dict[str, Any], trusted: bool, insecure: bool
) -> None:
    (tmp_path / "ca.crt").write_text(pem("ca"))
    fields = {"server": "https://c"} | {key: value for key, value in cluster.items() if key != "ca"}
    if "ca" in cluster:
        fields["certificate-authority"] = "ca.crt"
    if options.pop("ca", False):
        options = {"certificate_authority": str(tmp_path / "ca.crt")}

    got = access(tmp_path, kubeconfig(cluster=fields), **options)

    assert got.certificate_authority == (pem("ca") if trusted else None)
    assert got.insecure_skip_tls_verify is insecure


def test_the_rest_of_a_cluster(tmp_path: Path) -> None:
    cluster = {"server": "https://c", "proxy-url": "http://proxy:3128", "disable-compression": True}

    got = access(tmp_path, kubeconfig(cluster=cluster))

    assert (got.proxy_url, got.disable_compression) == ("http://proxy:3128", True)


@pytest.mark.parametrize(
    ("user", "options", "headers"),
    [
        pytest.param({}, {}, [], id="none"),
        pytest.param(
            {"as": "x", "as-groups": ["g", "h"], "as-uid": "7", "as-user-extra": {"a/b": ["1", "2"]}},
            {},
            [
                ("Impersonate-User", "x"),
                ("Impersonate-Uid", "7"),
                ("Impersonate-Group", "g"),
                ("Impersonate-Group", "h"),
                ("Impersonate-Extra-a%2Fb", "1"),
                ("Impersonate-Extra-a%2Fb", "2"),
            ],
            id="kubeconfig",
        ),
        pytest.param(
            {"as": "x", "as-groups": ["g", "h"]},
            {"as_user": "y", "as_groups": ("i",)},
            [("Impersonate-User", "y"), ("Impersonate-Group", "i")],
            id="flags replace, they do not add",
        ),
    ],
)
def test_impersonation(
    tmp_path: Path, user: dict[str, Any], options: dict[str, Any], headers: list[tuple[str, str]]
) -> None:
    assert access(tmp_path, kubeconfig(user=user), **options).impersonation_headers() == headers


def test_no_credentials_over_plain_http(tmp_path: Path) -> None:
    # client-go sends none either: anyone on the way could read them.
    got = access(tmp_path, kubeconfig(user={"token": "hunter2"}, cluster={"server": "http://c:8080"}))

    assert got.credentials.authorization() is None


def test_flags_alone_are_enough(tmp_path: Path) -> None:
    got = read_access(
        Overrides(server="https://e", token="t"), {"HOME": str(tmp_path)}, service_account=tmp_path / "none"
    )

    assert (got.server, got.credentials.authorization(), got.namespace) == ("https://e", "Bearer t", "default")


def test_kubernetes_master_is_the_last_resort(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KUBERNETES_MASTER": "http://localhost:8001"}

    assert read_access(Overrides(), environ, service_account=tmp_path / "none").server == "http://localhost:8001"


def test_secrets_show_in_no_repr(tmp_path: Path) -> None:
    user = {
        "client-certificate-data": encoded(pem("hunter2")),
        "client-key-data": encoded(pem("hunter2", "PRIVATE KEY")),
        "username": "me",
        "password": "hunter2",
    }
    cluster = {"server": "https://c", "proxy-url": "http://me:hunter2@proxy:3128"}
    overrides = Overrides(kubeconfig=written(tmp_path / "config", kubeconfig(user=user, cluster=cluster)))
    got = read_access(overrides, {})
    shown = repr(got) + repr(got.credentials) + repr(got.client_certificate) + str(got)
    shown += repr(Overrides(token="hunter2", password="hunter2"))

    assert got.credentials.authorization() == "Basic bWU6aHVudGVyMg=="
    for secret in ("hunter2", encoded("hunter2"), "bWU6aHVudGVyMg=="):
        assert secret not in shown


def test_neither_the_official_client_nor_anything_heavy_is_imported(tmp_path: Path) -> None:
    user = {"client-certificate-data": encoded(pem("c")), "client-key-data": encoded(pem("k", "PRIVATE KEY"))}
    path = written(tmp_path / "config", kubeconfig(user=user))
    program = f"""
import sys
from mlscale.kube.access import Overrides
from mlscale.kube.credentials import certificate_files
from mlscale.kube.kubeconfig import read_access
access = read_access(Overrides(kubeconfig={path!r}), {{}})
with certificate_files(access.client_certificate):
    pass
heavy = {{"kubernetes", "requests", "urllib3", "rich", "numpy", "subprocess", "tempfile", "difflib", "asyncio"}}
print(sorted(heavy & set(sys.modules)))
"""

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == ("[]" if sys.platform == "linux" else "['tempfile']")
