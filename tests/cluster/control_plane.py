"""Starts and ends a control plane on loopback: kwokctl runs the programs, kwok plays the nodes and pods.

All state lives in ``.cluster/`` of the checkout; the cluster's name is derived from the checkout's path and kwokctl
picks free ports, so several checkouts run clusters side by side.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster import binaries
from tests.cluster.binaries import ClusterError, Say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".cluster"
KUBECONFIG = STATE / "kubeconfig"
DISCOVERY_CACHE = STATE / "kubectl-cache"
NAME = "mlscale-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]

NODES = 5
GPU_NODES = 2
GPUS_PER_NODE = 4

# Flags that differ from kwokctl's: component, flag, value, and whether it replaces one that kwokctl sets (kwokctl
# drops a replacement of nothing).
# - Without an address to advertise, the API server takes that of the default route and ends where there is none; a
#   loopback address is refused as the endpoint of the service "kubernetes", which nothing here needs.
# - The periods are shorter than the defaults (15 s, 15 s, 10 s), so that tests of an autoscaler do not wait long: 10 s
#   is the least resolution that metrics-server accepts, and its timeout must stay below 9/10 of it.
ARGUMENTS = (
    ("kube-apiserver", "advertise-address", "127.0.0.1", False),
    ("kube-apiserver", "endpoint-reconciler-type", "none", False),
    ("kube-controller-manager", "horizontal-pod-autoscaler-sync-period", "2s", False),
    ("metrics-server", "metric-resolution", "10s", True),
    ("metrics-server", "kubelet-request-timeout", "5s", False),
)

_READY_SECONDS = 60
_KUBECTL = STATE / "kubectl"
_BUILD = STATE / "build"
_TEST_SESSION = STATE / "test-session"


def up(say: Say, test_session: int | None = None) -> Path:
    """Start the control plane unless it runs already; returns the kubeconfig's path.

    `test_session` is the process id of the test run that will take it down again; without one the cluster stays up.
    Builds the programs on the first run. Raises ClusterError where it cannot build or start.
    """
    folder = binaries.ensure_binaries(say)
    with _lock():
        running = _is_up(folder)
        if not running:
            if STATE.exists():
                say("the cluster in .cluster is not healthy or of another version; starting afresh")
                _remove()
            _start(folder, say)
        _note_owner(running, test_session)
    return KUBECONFIG


def down(test_session: int | None = None) -> None:
    """End the control plane and remove .cluster; nothing happens where there is none.

    With `test_session`, only a cluster that this test run started is ended.
    """
    if test_session is not None and _owner() != test_session:
        return
    with _lock():
        _remove()


def _lock() -> AbstractContextManager[None]:
    # One for all checkouts: kwokctl looks for free ports first and binds them later.
    return binaries.file_lock(binaries.cache_root() / "control-plane.lock")


def _owner() -> int | None:
    try:
        return int(_TEST_SESSION.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _note_owner(was_running: bool, test_session: int | None) -> None:
    if test_session is None:
        _TEST_SESSION.unlink(missing_ok=True)
        return
    owner = _owner()
    left_behind = owner is not None and not _is_running(owner)
    if not was_running or left_behind:
        _TEST_SESSION.write_text(str(test_session), encoding="utf-8")


def status() -> str:
    """One line: up (with the kubeconfig's path), not healthy, or down."""
    if not STATE.exists():
        return "down"
    return f"up {KUBECONFIG}" if _is_up(binaries.cache_folder()) else "not healthy"


def pids() -> list[int]:
    """Process ids of the programs of the control plane that runs."""
    return [int(pid_file.read_text(encoding="utf-8")) for pid_file in _pid_files()]


def kubectl_path() -> Path:
    """The kubectl of the pinned version."""
    return binaries.cache_folder() / "bin" / "kubectl"


def environment(folder: Path) -> dict[str, str]:
    """Variables for kwokctl and kubectl: their own state folder, and no configuration of the user's."""
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "KWOK_WORKDIR": str(STATE / "kwok"),
        "KUBECONFIG": str(KUBECONFIG),
        # Ports are reused by later clusters: a shared discovery cache would answer for the wrong one.
        "KUBECACHEDIR": str(DISCOVERY_CACHE),
    }


def _start(folder: Path, say: Say) -> None:
    started = time.monotonic()
    STATE.mkdir()
    _KUBECTL.symlink_to(folder / "bin" / "kubectl")
    _BUILD.write_text(_identity(folder), encoding="utf-8")
    config = STATE / "kwokctl.yaml"
    config.write_text(yaml.safe_dump(kwokctl_configuration(folder)), encoding="utf-8")
    try:
        _kwokctl(folder, *_create_arguments(folder, config))
        _create_nodes(folder)
        _require_running()
        # Last of all: a kubeconfig in its place means that the cluster is ready.
        (STATE / "kubeconfig.new").replace(KUBECONFIG)
    except ClusterError as error:
        logs = _log_tails()
        _remove()
        raise ClusterError(f"{error}\n{logs}".rstrip()) from None
    say(f"control plane {NAME} up in {time.monotonic() - started:.1f} s")


def kwokctl_configuration(folder: Path) -> dict[str, Any]:
    """The KwokctlConfiguration: every program by path and every listener on loopback."""
    programs = folder / "bin"
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "componentsPatches": [
            {"name": component, "extraArgs": [{"key": key, "value": value, "override": replaces}]}
            for component, key, value, replaces in ARGUMENTS
        ],
        "options": {
            "runtime": "binary",
            "kubeVersion": binaries.pinned_version("kubernetes", "k8s.io/kubernetes"),
            "bindAddress": "127.0.0.1",
            "etcdBinary": str(programs / "etcd"),
            "kubeApiserverBinary": str(programs / "kube-apiserver"),
            "kubeControllerManagerBinary": str(programs / "kube-controller-manager"),
            "kubeSchedulerBinary": str(programs / "kube-scheduler"),
            "kubectlBinary": str(programs / "kubectl"),
            "kwokControllerBinary": str(programs / "kwok"),
            "metricsServerBinary": str(programs / "metrics-server"),
            "metricsServerManifests": [str(folder / "manifests" / "metrics-server")],
        },
    }


def _create_arguments(folder: Path, config: Path) -> list[str]:
    manifests = folder / "manifests"
    return [
        *("create", "cluster", "--name", NAME, "--kubeconfig", str(STATE / "kubeconfig.new")),
        *("--wait", f"{_READY_SECONDS}s", "--timeout", f"{_READY_SECONDS}s"),
        *("--enable", "metrics-server", "--disable-qps-limits"),
        *("-c", str(config)),
        *("-c", str(manifests / "metrics" / "metrics-resource.yaml")),
        *("-c", str(manifests / "usage" / "usage-from-annotation.yaml")),
    ]


def node(name: str, labels: dict[str, str] | None = None, gpus: int = 0) -> dict[str, Any]:
    """A simulated node of 32 CPU, 256Gi and 110 pods.

    It has no InternalIP on purpose: metrics-server would scrape that address, which leaves the machine. kwok adds
    a loopback address and its own port instead.
    """
    resources = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    if gpus:
        resources["nvidia.com/gpu"] = str(gpus)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "type": "kwok", **(labels or {})},
            "annotations": {
                "kwok.x-k8s.io/node": "fake",
                "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource",
            },
        },
        "status": {"allocatable": resources, "capacity": resources},
    }


def _create_nodes(folder: Path) -> None:
    nodes = [node(f"node-{number}") for number in range(NODES)]
    nodes += [node(f"gpu-{number}", {"accelerator": "nvidia"}, GPUS_PER_NODE) for number in range(GPU_NODES)]
    manifest = {"apiVersion": "v1", "kind": "List", "items": nodes}
    fresh = STATE / "kubeconfig.new"
    _kubectl(folder, fresh, "create", "-f", "-", text=json.dumps(manifest))
    _kubectl(folder, fresh, "wait", "--for=condition=Ready", "node", "--all", f"--timeout={_READY_SECONDS}s")
    flat = _kubectl(folder, fresh, "config", "view", "--raw", "--flatten", "--minify")
    fresh.write_text(flat, encoding="utf-8")
    fresh.chmod(0o600)


def _require_running() -> None:
    ended = [pid_file.stem for pid_file in _pid_files() if not _is_alive(pid_file)]
    if ended:
        raise ClusterError(f"ended right after the start: {', '.join(ended)}")


def _is_up(folder: Path) -> bool:
    if not KUBECONFIG.exists() or not _BUILD.exists() or _BUILD.read_text(encoding="utf-8") != _identity(folder):
        return False
    if not all(_is_alive(pid_file) for pid_file in _pid_files()):
        return False
    try:
        return _kubectl(folder, KUBECONFIG, "get", "--raw", "/readyz", "--request-timeout=10s") == "ok"
    except ClusterError:
        return False


def _identity(folder: Path) -> str:
    return hashlib.sha256(f"{folder.name} {ARGUMENTS} {NODES} {GPU_NODES} {GPUS_PER_NODE}".encode()).hexdigest()


def _pid_files() -> list[Path]:
    return sorted((STATE / "kwok" / "clusters" / NAME / "pids").glob("*.pid"))


def _is_alive(pid_file: Path) -> bool:
    try:
        return _is_running(int(pid_file.read_text(encoding="utf-8")))
    except (ValueError, OSError):
        return False


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _remove() -> None:
    # Of the build that runs, which is not the current one after a change of versions.
    folder = _KUBECTL.resolve().parents[1]
    if (folder / "bin" / "kwokctl").exists():
        _kwokctl(folder, "delete", "cluster", "--name", NAME, "--kubeconfig", str(KUBECONFIG))
    shutil.rmtree(STATE, ignore_errors=True)


def _log_tails() -> str:
    tails = []
    for log in sorted((STATE / "kwok" / "clusters" / NAME / "logs").glob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        tails.append("\n".join([f"--- {log.name}", *lines]))
    return "\n".join(tails)


def _kwokctl(folder: Path, *arguments: str) -> str:
    return _run([str(folder / "bin" / "kwokctl"), *arguments], folder)


def _kubectl(folder: Path, kubeconfig: Path, *arguments: str, text: str | None = None) -> str:
    return _run([str(folder / "bin" / "kubectl"), "--kubeconfig", str(kubeconfig), *arguments], folder, text)


def _run(command: list[str], folder: Path, text: str | None = None) -> str:
    done = subprocess.run(
        command,
        env=environment(folder),
        cwd=ROOT,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        timeout=4 * _READY_SECONDS,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip()
        raise ClusterError(f"{Path(command[0]).name} {' '.join(command[1:3])} failed: {said}")
    return done.stdout
