"""What a test holds of the cluster: kubectl, and kubeconfigs of users that are allowed less, or nothing."""

from __future__ import annotations

import json
import os
import subprocess
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import trustme
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]
T = TypeVar("T")


class Run(Protocol):
    """Runs a program with the test's kubeconfig, or another, and returns what it said."""

    def __call__(
        self, *arguments: str, kubeconfig: Path | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]: ...


@dataclass(frozen=True)
class Cluster:
    """A control plane, as the administrator reaches it."""

    kubeconfig: Path
    kubectl_path: Path
    discovery_cache: Path

    def kubectl(
        self, *arguments: str, input: str | None = None, check: bool = True, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end, at most 120 s. With `check`, a failure fails the test with kubectl's own words."""
        done = subprocess.run(
            [str(self.kubectl_path), *arguments],
            env=self.environment(kubeconfig or self.kubeconfig),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()}")
        return done

    def environment(self, kubeconfig: Path) -> dict[str, str]:
        """The variables of a subprocess that talks to this cluster."""
        return {**os.environ, "KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(self.discovery_cache)}

    def get(self, *arguments: str) -> Json:
        """``kubectl get ... -o json``, parsed."""
        answer: Json = json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)
        return answer

    def apply(self, manifest: Json | list[Json], namespace: str = "default") -> None:
        """``kubectl apply`` of one manifest or several."""
        items = manifest if isinstance(manifest, list) else [manifest]
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        self.kubectl("apply", "-n", namespace, "-f", "-", input=body)


def poll(read: Callable[[], T | None], seconds: float, what: str) -> T:
    """Call `read` until it returns something true; fails the test after `seconds`, naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = read()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {seconds:g} s")
        time.sleep(0.2)


def kubeconfig_for_namespace(cluster: Cluster, namespace: str, path: Path) -> Path:
    """The administrator's kubeconfig, with `namespace` as the context's own."""
    return _write(_in_namespace(cluster, namespace), path)


def kubeconfig_with_wrong_token(cluster: Cluster, namespace: str, path: Path) -> Path:
    """A kubeconfig whose token the API server does not know: every call is a 401."""
    return _write(_as_token(_in_namespace(cluster, namespace), "not-a-token-of-this-cluster"), path)


def kubeconfig_with_wrong_ca(cluster: Cluster, namespace: str, path: Path) -> Path:
    """A kubeconfig that trusts another certificate authority: the TLS handshake fails."""
    config = _in_namespace(cluster, namespace)
    other = trustme.CA().cert_pem.bytes()
    for entry in config["clusters"]:
        entry["cluster"].pop("certificate-authority", None)
        entry["cluster"]["certificate-authority-data"] = b64encode(other).decode()
    return _write(config, path)


def kubeconfig_restricted(cluster: Cluster, namespace: str, path: Path, rules: list[Json] | None = None) -> Path:
    """A kubeconfig of a new ServiceAccount that may do what `rules` (of a Role) say in `namespace`, and no more.

    Without rules, every call for a resource is a 403.
    """
    name = f"restricted-{os.urandom(3).hex()}"
    cluster.kubectl("create", "serviceaccount", name, "-n", namespace)
    if rules:
        _bind(cluster, namespace, name, rules)
    token = cluster.kubectl("create", "token", name, "-n", namespace).stdout.strip()
    return _write(_as_token(_in_namespace(cluster, namespace), token), path)


def _bind(cluster: Cluster, namespace: str, account: str, rules: list[Json]) -> None:
    rbac = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": account}, "rules": rules}
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": account},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    cluster.apply([role, binding], namespace)
    poll(lambda: _is_allowed(cluster, namespace, account, rules[-1]), 10, f"rights of {account}")


def _is_allowed(cluster: Cluster, namespace: str, account: str, rule: Json) -> bool:
    group, resource = rule["apiGroups"][0], rule["resources"][0]
    plural, _, subresource = resource.partition("/")
    asked = cluster.kubectl(
        *("auth", "can-i", rule["verbs"][0], f"{plural}.{group}" if group else plural),
        *([f"--subresource={subresource}"] if subresource else []),
        *("-n", namespace, "--as", f"system:serviceaccount:{namespace}:{account}"),
        check=False,
    )
    return asked.stdout.strip() == "yes"


def _in_namespace(cluster: Cluster, namespace: str) -> Json:
    config: Json = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    for entry in config["contexts"]:
        if entry["name"] == config["current-context"]:
            entry["context"]["namespace"] = namespace
    return config


def _as_token(config: Json, token: str) -> Json:
    for entry in config["users"]:
        entry["user"] = {"token": token}
    return config


def _write(config: Json, path: Path) -> Path:
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path
