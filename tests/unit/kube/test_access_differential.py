"""mlscale's own reading of kubeconfigs against the official client's Configuration (kubernetes 37.0.2).

Both must agree on server, CA, client certificate and key, verification, Authorization, server name, proxy and
namespace. The official client departs from client-go in these points; mlscale follows client-go there, so the
generated kubeconfigs stay away from them and the named tests show them:

- the current-context of several files: it takes the last, client-go the first (test_kubeconfig, first file wins);
- a relative client-certificate: it starts at the cluster's file, client-go at the user's own
  (test_a_relative_certificate_starts_at_the_users_file);
- token and tokenFile: it takes the token, client-go the file (test_credentials, the file wins);
- a tokenFile: it keeps the newline at the end, client-go strips it (test_credentials, token file);
- plain http: it sends the credentials, client-go none (test_kubeconfig, no credentials over plain http);
- token and username: it takes the token, client-go refuses (test_credentials, what cannot be used);
- certificate-authority and insecure-skip-tls-verify: it accepts both, client-go refuses (test_kubeconfig, broken);
- a username without a password: it sends nothing, client-go an empty password (test_credentials, no password);
- a plugin's token and certificate: it drops the certificate, client-go uses both (test_exec_plugin);
- as, as-groups, as-uid and disable-compression: it does not read them (test_kubeconfig).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes.client import Configuration
from kubernetes.config import kube_config

from mlscale.kube.access import Access, Overrides
from mlscale.kube.credentials import certificate_files
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("one", "two", "three")
FILES = {"ca.crt": pem("ca of a file"), "pki/user.crt": pem("crt of a file"), "pki/user.key": pem("key", "PRIVATE KEY")}
TOKEN_FILE = "token"


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, Any]:
    host = draw(st.sampled_from(["c.example", "10.0.0.1:6443", "[fd00::1]:6443"]))
    cluster: dict[str, Any] = {"server": f"https://{host}{draw(st.sampled_from(['', '/', '/k8s/c-1', '/k8s/c-1/']))}"}
    trust = draw(st.sampled_from(["system", "insecure", "verify", "file", "absolute", "inline", "inline before file"]))
    trusts: dict[str, dict[str, Any]] = {
        "system": {},
        "insecure": {"insecure-skip-tls-verify": True},
        "verify": {"insecure-skip-tls-verify": False},
        "file": {"certificate-authority": "ca.crt"},
        "absolute": {"certificate-authority": "$FOLDER/ca.crt"},
        "inline": {"certificate-authority-data": encoded(pem("inline ca"))},
        "inline before file": {"certificate-authority-data": encoded(pem("b")), "certificate-authority": "ca.crt"},
    }
    cluster |= trusts[trust]
    if draw(st.booleans()):
        cluster["tls-server-name"] = "api.example"
    if draw(st.booleans()):
        cluster["proxy-url"] = "http://proxy:3128"
    return cluster


@st.composite
def users(draw: st.DrawFn) -> dict[str, Any]:
    certificate = draw(st.sampled_from(["none", "file", "absolute", "inline", "inline before file", "mixed"]))
    inline = {
        "client-certificate-data": encoded(pem("inline crt")),
        "client-key-data": encoded(pem("inline key", "PRIVATE KEY")),
    }
    files = {"client-certificate": "pki/user.crt", "client-key": "./pki/../pki/user.key"}
    user: dict[str, Any] = {
        "none": {},
        "file": files,
        "absolute": {key: f"$FOLDER/{path}" for key, path in files.items()},
        "inline": inline,
        "inline before file": inline | files,
        "mixed": {"client-certificate": files["client-certificate"], "client-key-data": inline["client-key-data"]},
    }[certificate]
    authorization = draw(st.sampled_from(["none", "token", "tokenFile", "basic"]))
    text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
    shown: dict[str, dict[str, Any]] = {
        "none": {},
        "token": {"token": draw(text)},
        "tokenFile": {"tokenFile": TOKEN_FILE},
        "basic": {"username": draw(text.filter(lambda name: ":" not in name)), "password": draw(text)},
    }
    return user | shown[authorization]


@st.composite
def kubeconfigs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], str]:
    """One to three files, whose entries have names in common, and the context to use."""
    configs = []
    for _ in range(draw(st.integers(1, 3))):
        contexts: list[dict[str, Any]] = [
            {"name": name, "context": {"cluster": draw(st.sampled_from(NAMES)), "user": draw(st.sampled_from(NAMES))}}
            for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
        ]
        for context in contexts:
            if draw(st.booleans()):
                context["context"]["namespace"] = draw(st.sampled_from(["team", "other"]))
        configs.append(
            kubeconfig(
                contexts=contexts,
                clusters=[{"name": name, "cluster": draw(clusters())} for name in draw(names())],
                users=[{"name": name, "user": draw(users())} for name in draw(names())],
            )
        )
    # The last file has every name, so that no context hangs in the air.
    last = configs[-1]
    for kind, fields in (("cluster", clusters()), ("user", users())):
        held = {item["name"] for item in last[f"{kind}s"]}
        last[f"{kind}s"] += [{"name": name, kind: draw(fields)} for name in NAMES if name not in held]
    held = {item["name"] for item in last["contexts"]}
    last["contexts"] += [
        {"name": name, "context": {"cluster": name, "user": name}} for name in NAMES if name not in held
    ]
    return configs, draw(st.sampled_from(NAMES))


def names() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(NAMES), unique=True)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        for path, text in FILES.items():
            (Path(name) / path).parent.mkdir(exist_ok=True)
            (Path(name) / path).write_text(text)
        (Path(name) / TOKEN_FILE).write_text("of-the-file")
        yield Path(name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kubeconfigs())
def test_both_read_the_same(folder: Path, generated: tuple[list[dict[str, Any]], str]) -> None:
    configs, context = generated
    paths = [written(folder / f"config-{number}", _placed(config, folder)) for number, config in enumerate(configs)]
    listed = ":".join(paths)

    access = read_access(Overrides(context=context), {"KUBECONFIG": listed}, service_account=folder / "none")

    assert _facts(access) == _official_facts(listed, context)


def _placed(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _placed(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, folder) for item in value]
    return value.replace("$FOLDER", str(folder)) if isinstance(value, str) else value


def _facts(access: Access) -> dict[str, Any]:
    certificate = key = None
    if access.client_certificate:
        with certificate_files(access.client_certificate) as paths:
            certificate, key = (Path(path).read_text() for path in paths)
    return {
        "host": access.server,
        "ca": access.certificate_authority,
        "certificate": certificate,
        "key": key,
        "verify": not access.insecure_skip_tls_verify,
        "authorization": access.credentials.authorization(),
        "tls_server_name": access.tls_server_name,
        "proxy": access.proxy_url,
        "namespace": access.namespace,
    }


def _official_facts(paths: str, context: str) -> dict[str, Any]:
    official: Any = kube_config
    configuration: Any = Configuration()
    # What load_kube_config does; it does not give the context's namespace.
    merged = official.KubeConfigMerger(paths).config
    loader = official.KubeConfigLoader(merged, active_context=context, config_base_path=None)
    loader.load_and_set(configuration)
    return {
        "host": configuration.host,
        "ca": _content(configuration.ssl_ca_cert),
        "certificate": _content(configuration.cert_file),
        "key": _content(configuration.key_file),
        "verify": configuration.verify_ssl,
        "authorization": configuration.api_key.get("BearerToken"),
        "tls_server_name": configuration.tls_server_name,
        "proxy": configuration.proxy,
        "namespace": loader.current_context["context"].get("namespace", "default"),
    }


def _content(path: str | None) -> str | None:
    return Path(path).read_text() if path else None


def test_a_relative_certificate_starts_at_the_users_file(folder: Path) -> None:
    user = {"client-certificate": "pki/user.crt", "client-key": "pki/user.key"}
    cluster_file = written(folder / "elsewhere" / "config", kubeconfig(users=[]))
    user_file = written(folder / "config", kubeconfig(user=user, clusters=[]))
    listed = f"{cluster_file}:{user_file}"

    access = read_access(Overrides(), {"KUBECONFIG": listed}, service_account=folder / "none")

    assert _facts(access)["certificate"] == FILES["pki/user.crt"]
    with pytest.raises(Exception, match=r"File does not exist: .*/elsewhere/pki/user\.crt"):
        _official_facts(listed, "a")


@pytest.mark.parametrize("with_certificate", [False, True])
def test_both_get_the_same_from_a_plugin(folder: Path, with_certificate: bool) -> None:
    status = "{'token': 't'}"
    if with_certificate:
        status = f"{{'clientCertificateData': {pem('crt')!r}, 'clientKeyData': {pem('key')!r}}}"
    version = "client.authentication.k8s.io/v1"
    body = (
        f"import json, sys\nprint(json.dumps(dict(kind='ExecCredential', apiVersion='{version}', status={status})))\n"
    )
    (folder / "plugin.py").write_text(body)
    entry = {
        "command": "python3",
        "args": [str(folder / "plugin.py")],
        "apiVersion": version,
        "interactiveMode": "Never",
    }
    path = written(folder / "config", kubeconfig(user={"exec": entry}))

    access = read_access(Overrides(kubeconfig=path), os.environ)

    assert _facts(access) == _official_facts(path, "a")
