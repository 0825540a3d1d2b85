"""Lines that fail on the way: credentials, kubeconfigs and addresses that are not right, with both programs."""

from __future__ import annotations

import copy
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cluster import access
from tests.contract.lines import Line, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.twins import Twins

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

TO_3 = "scale deploy/web --replicas=3"
LONG_HOST = f"{64 * 'a'}.invalid"
"""A label of 64 letters is none, so that no resolver is asked for it."""


def _denied(verb: str, resource: str) -> str:
    return f':nobody" cannot {verb} resource "{resource}" in API group "apps"'


RIGHTS = [
    Line(
        "no rights", f"{TO_3} --kubeconfig {{ns}}-none.yaml", 4, 'cannot get resource "deployments" in API group "apps"'
    ),
    Line(
        "no rights and a file",
        "scale -f web.json --replicas=3 --kubeconfig {ns}-none.yaml",
        4,
        'cannot patch resource "deployments/scale" in API group "apps"',
    ),
    Line(
        "the right to read",
        f"{TO_3} --kubeconfig {{ns}}-reader.yaml",
        4,
        'cannot patch resource "deployments/scale" in API group "apps"',
    ),
    Line(
        "the right to read, two names", "scale deploy web api --replicas=3 --kubeconfig {ns}-reader.yaml", 4, '"api" is'
    ),
    Line(
        "the right to read and a precondition",
        f"{TO_3} --current-replicas=0 --kubeconfig {{ns}}-reader.yaml",
        4,
        'cannot patch resource "deployments/scale"',
    ),
    Line("the right to scale and no other", f"{TO_3} --kubeconfig {{ns}}-scaler.yaml", says="whether an HPA governs"),
    Line(
        "the right to scale a file's object, not to read it",
        "scale -f web.json --replicas=3 --kubeconfig {ns}-patcher.yaml",
        says="whether an HPA governs",
    ),
    Line(
        "no right to create an HPA",
        "autoscale deployment web --max=5 --cpu=50% --kubeconfig {ns}-scaler.yaml",
        4,
        'cannot patch resource "horizontalpodautoscalers" in API group "autoscaling"',
    ),
    Line(
        "no right to see the namespace", "scale deploy/web --replicas=3 -n kube-system --kubeconfig {ns}-none.yaml", 4
    ),
    Line("acting as somebody without rights", f"{TO_3} --as nobody", 4, 'User "nobody" cannot get resource'),
    Line("acting as an administrator", f"{TO_3} --as somebody --as-group system:masters"),
]

FILES = [
    Line("a wrong token", f"{TO_3} --kubeconfig badtok.yaml", 4, "does not accept the credentials of user"),
    Line("a wrong token on the line", f"{TO_3} --kubeconfig bare.yaml --token nonsense", 4, "credentials"),
    Line("a wrong authority", f"{TO_3} --kubeconfig wrongca.yaml", 1, "certificate"),
    Line("a wrong authority that is not verified", f"{TO_3} -n {{ns}} --kubeconfig insecure.yaml", says="not verified"),
    Line("an unknown context", f"--context nope {TO_3}", 2, "nope"),
    Line("an unknown cluster", f"--cluster nope {TO_3}", 2, "nope"),
    Line("an unknown user", f"--user nope {TO_3}", 2, "nope"),
    Line("a kubeconfig that is missing", f"--kubeconfig ./none {TO_3}", 2, "./none"),
    Line("a folder as kubeconfig", f"--kubeconfig folder {TO_3}", 1, "folder"),
    Line("a kubeconfig in the environment that is missing", TO_3, 1, "./none", environment={"KUBECONFIG": "./none"}),
    Line("two kubeconfigs, one missing", TO_3 + " -n {ns}", environment={"KUBECONFIG": "./none:admin.yaml"}),
    Line("a kubeconfig that is no YAML", f"{TO_3} --kubeconfig malformed.yaml", 1, "malformed.yaml"),
    Line("a kubeconfig that is a list", f"{TO_3} --kubeconfig list.yaml", 1, "list.yaml"),
    Line("a kubeconfig without current-context", f"{TO_3} --kubeconfig nocur.yaml", 1, "current-context"),
    Line("a current-context that is gone", f"{TO_3} --kubeconfig gone.yaml", 1, "gone"),
    Line("an empty kubeconfig", f"{TO_3} --kubeconfig zero.yaml", 1),
    Line("an exec plugin that fails", f"{TO_3} --kubeconfig execfail.yaml", 1, "false"),
    Line("an exec plugin that is not installed", f"{TO_3} --kubeconfig execnone.yaml", 1, "mlscale-no-such-plugin"),
    Line("an authority's file that is missing", f"{TO_3} --kubeconfig badcafile.yaml", 1, "nosuch-ca.crt"),
    Line("a certificate's file that is missing", f"{TO_3} --kubeconfig badcert.yaml", 1, "nosuch-admin.crt"),
]

ADDRESSES = [
    Line("a port that nobody listens on", f"{TO_3} --kubeconfig closed.yaml", 1, "127.0.0.1:1"),
    Line("a host that cannot be", f"{TO_3} --kubeconfig badhost.yaml", 1, "invalid"),
    Line("a plain address of a TLS port", f"{TO_3} --kubeconfig http.yaml", 1),
    Line("a TLS address of a plain port", f"{TO_3} --kubeconfig plain.yaml", 1),
    Line("a port that never answers", f"{TO_3} --kubeconfig silent.yaml --request-timeout=1s", 1, "1 s"),
    Line("an address that is none", f"{TO_3} --server not-an-address:port", 2),
]

LINES = [*RIGHTS, *FILES, *ADDRESSES]


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """A port that accepts and says nothing, and one that answers every connection in plain HTTP."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        closing(socket.create_server(("127.0.0.1", 0))) as plain,
    ):
        threading.Thread(target=_answer_plainly, args=(plain,), daemon=True).start()
        yield {"silent": silent.getsockname()[1], "plain": plain.getsockname()[1]}


def _answer_plainly(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def kubeconfigs(twins: Twins, ports: dict[str, int]) -> Twins:
    """The twins, with the kubeconfigs that the lines name in their folder."""
    folder, cluster = twins.folder, twins.cluster
    config: Json = yaml.safe_load((folder / "admin.yaml").read_text(encoding="utf-8"))
    for name, changed in _changed(config, ports).items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    (folder / "malformed.yaml").write_text("apiVersion: v1\nkind: Config\nclusters: [{name: a\n", encoding="utf-8")
    (folder / "zero.yaml").write_text("", encoding="utf-8")
    access.kubeconfig_with_wrong_token(cluster, "default", folder / "badtok.yaml")
    access.kubeconfig_with_wrong_ca(cluster, "default", folder / "wrongca.yaml")
    scale = [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}]
    read = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]
    for twin in twins.twins:
        for name, rules in {"none": None, "reader": read, "scaler": scale + read, "patcher": scale}.items():
            access.kubeconfig_restricted(cluster, twin.namespace, folder / f"{twin.namespace}-{name}.yaml", rules)
    return twins


def _changed(config: Json, ports: dict[str, int]) -> dict[str, Json]:
    """Kubeconfigs by name, each ``config`` with one thing that is not right."""
    server = config["clusters"][0]["cluster"]["server"]
    no_ca = {"certificate-authority-data": None}
    exec_plugin = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
    files = {"client-certificate-data": None, "client-key-data": None, "token": None}
    clusters: dict[str, Json] = {
        "insecure": {**no_ca, "insecure-skip-tls-verify": True},
        "closed": {"server": "https://127.0.0.1:1"},
        "badhost": {"server": f"https://{LONG_HOST}:6443"},
        "http": {**no_ca, "server": server.replace("https", "http")},
        "plain": {"server": f"https://127.0.0.1:{ports['plain']}"},
        "silent": {"server": f"https://127.0.0.1:{ports['silent']}"},
        "badcafile": {**no_ca, "certificate-authority": "nosuch-ca.crt"},
    }
    users: dict[str, Json] = {
        "bare": files,
        "execfail": {**files, "exec": {**exec_plugin, "command": "false"}},
        "execnone": {**files, "exec": {**exec_plugin, "command": "mlscale-no-such-plugin"}},
        "badcert": {**files, "client-certificate": "nosuch-admin.crt", "client-key": "nosuch-admin.key"},
    }
    changed = {name: _with(config, "clusters", "cluster", parts) for name, parts in clusters.items()}
    changed |= {name: _with(config, "users", "user", parts) for name, parts in users.items()}
    changed |= {"nocur": {**config, "current-context": ""}, "gone": {**config, "current-context": "gone"}}
    return {**changed, "list": [config]}  # type: ignore[dict-item]  # the point of it


def _with(config: Json, entries: str, entry: str, parts: Json) -> Json:
    """``config`` with ``parts`` in its first cluster or user; None takes a field away."""
    changed = copy.deepcopy(config)
    fields = changed[entries][0][entry]
    fields.update(parts)
    changed[entries][0][entry] = {key: value for key, value in fields.items() if value is not None}
    return changed


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_line_that_fails_on_the_way_fails_as_with_kubectl(kubeconfigs: Twins, line: Line) -> None:
    check(kubeconfigs, line)


def test_a_wrong_token_does_not_reach_the_output(kubeconfigs: Twins) -> None:
    for ran in kubeconfigs.run(f"{TO_3} --kubeconfig bare.yaml --token s3cret-of-mine --debug"):
        assert "s3cret-of-mine" not in ran.stdout + ran.stderr
