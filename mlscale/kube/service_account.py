"""The account of the pod that this runs in, as a kubeconfig.

The rules are those of client-go rest/config.go (InClusterConfig) and tools/clientcmd/client_config.go (v0.37.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlscale.kube.kubeconfig_file import Entry, Kubeconfig

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""The folder where the kubelet puts token, ca.crt and namespace."""

_NAME = "in-cluster"


def is_in_cluster(environ: Mapping[str, str], folder: Path) -> bool:
    """Whether a pod's account is there to use."""
    named = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(named) and (folder / "token").is_file()


def read_service_account(environ: Mapping[str, str], folder: Path) -> Kubeconfig:
    """The pod's account; without a ca.crt the server is checked against the CAs that the system trusts."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    source = str(folder / "token")
    authority = {"certificate-authority": str(folder / "ca.crt")} if (folder / "ca.crt").is_file() else {}
    user = Entry("the pod's service account", "service account", source, {"tokenFile": source})
    return Kubeconfig(
        files=(str(folder),),
        current_context=_NAME,
        contexts={_NAME: Entry("the pod", _NAME, source, {"cluster": _NAME, "user": user.name})},
        clusters={_NAME: Entry("the pod's cluster", _NAME, source, {"server": server} | authority)},
        users={user.name: user},
    )


def pod_namespace(environ: Mapping[str, str], folder: Path) -> str:
    """The pod's own namespace: POD_NAMESPACE, else the account's; "" where neither says."""
    if environ.get("POD_NAMESPACE"):
        return environ["POD_NAMESPACE"]
    try:
        return (folder / "namespace").read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
