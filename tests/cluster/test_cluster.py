"""The control plane itself: what the other cluster tests take for granted."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import access, control_plane, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif("MLSCALE_TEST_KUBECONFIG" in os.environ, reason="about the control plane built here"),
]

# 127.0.0.1, ::1, ::ffff:127.0.0.1; and the remote side of a listener.
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
LISTENING = {"00000000", "00000000000000000000000000000000"}
SEVEN = control_plane.NODES + control_plane.GPU_NODES


def _nodes(cluster: access.Cluster) -> list[access.Json]:
    return list(cluster.get("nodes", "-l", "type=kwok")["items"])


def test_every_node_is_ready(cluster: access.Cluster) -> None:
    conditions = [
        condition["status"]
        for node in _nodes(cluster)
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    ]
    assert conditions == ["True"] * SEVEN


def test_gpu_nodes_offer_gpus_and_others_do_not(cluster: access.Cluster) -> None:
    offered = {
        node["metadata"]["labels"].get("accelerator", ""): node["status"]["allocatable"].get("nvidia.com/gpu", "0")
        for node in _nodes(cluster)
    }
    assert offered == {"nvidia": str(control_plane.GPUS_PER_NODE), "": "0"}


def test_no_node_has_an_address_that_leaves_the_machine(cluster: access.Cluster) -> None:
    # kwokctl's own nodes get addresses of TEST-NET-1, 192.0.2.0/24, which metrics-server then tries to scrape.
    addresses = {address["address"] for node in _nodes(cluster) for address in node["status"]["addresses"]}
    outside = {address for address in addresses if not _is_loopback(address)}
    assert addresses
    assert not outside


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_programs_have_connections_on_loopback_only(cluster: access.Cluster) -> None:
    # By default kwokctl binds 0.0.0.0: anybody on the network could reach etcd, which asks for no credentials.
    programs = control_plane.pids()
    inodes = {inode for pid in programs for inode in _socket_inodes(pid)}
    ours = [(local, remote) for local, remote, inode in _sockets() if inode in inodes]
    assert len(ours) >= len(programs)
    assert {local for local, _ in ours} <= LOOPBACK
    assert {remote for _, remote in ours} <= LOOPBACK | LISTENING


def _sockets() -> Iterator[tuple[str, str, str]]:
    """Local address, remote address (hexadecimal, as the kernel writes them) and inode of every TCP socket."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            columns = line.split()
            yield columns[1].split(":")[0], columns[2].split(":")[0], columns[9]


def _socket_inodes(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            link = os.readlink(entry)
            if link.startswith("socket:["):
                yield link[len("socket:[") : -1]


def _is_loopback(address: str) -> bool:
    return address == "localhost" or ipaddress.ip_address(address).is_loopback


def test_the_autoscaler_reads_the_usage_that_the_annotation_sets(
    cluster: access.Cluster, namespace: str, kubectl: access.Run
) -> None:
    workload = manifests.deployment("web", replicas=3, requests={"cpu": "500m"}, usage_cpu="250m")
    # Tolerance is 10 %: at 50 % of 50 % the autoscaler leaves 3; with no metrics it would leave 3 as well, so the
    # test reads the utilization it saw.
    cluster.apply([workload, manifests.hpa("web", least=2, most=5, cpu_percent=50)], namespace)

    def seen() -> int | None:
        status = json.loads(kubectl("get", "hpa", "web", "-o", "json").stdout)["status"]
        metrics = status.get("currentMetrics") or [{}]
        current: int | None = metrics[0].get("resource", {}).get("current", {}).get("averageUtilization")
        return current

    assert access.poll(seen, 150, "utilization in the HPA's status") == pytest.approx(50, abs=3)


def test_a_pod_that_asks_for_a_gpu_runs_on_a_gpu_node(
    cluster: access.Cluster, namespace: str, kubectl: access.Run
) -> None:
    gpu = {"nvidia.com/gpu": "1"}
    cluster.apply(manifests.deployment("trainer", requests=gpu, limits=gpu), namespace)
    assert kubectl("rollout", "status", "deployment/trainer", "--timeout=60s").returncode == 0
    placed = json.loads(kubectl("get", "pods", "-o", "json").stdout)["items"]
    assert [pod["spec"]["nodeName"].split("-")[0] for pod in placed] == ["gpu"]


def test_a_custom_resource_scales_through_its_subresource(
    cluster: access.Cluster, namespace: str, kubectl: access.Run
) -> None:
    cluster.apply(manifests.custom_resource_definition())
    cluster.kubectl("wait", "--for=condition=Established", f"crd/modelservers.{manifests.GROUP}", "--timeout=30s")
    cluster.apply(manifests.custom_resource("llm", replicas=2), namespace)
    assert kubectl("scale", "modelserver/llm", "--replicas=4").returncode == 0
    assert json.loads(kubectl("get", "modelserver/llm", "-o", "json").stdout)["spec"]["replicas"] == 4


def test_a_restricted_account_may_do_what_its_rules_say_and_no_more(
    cluster: access.Cluster, namespace: str, kubectl: access.Run, tmp_path: Path
) -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}]
    reader = access.kubeconfig_restricted(cluster, namespace, tmp_path / "reader", rules)
    allowed = kubectl("get", "deployments", kubeconfig=reader)
    refused = kubectl("get", "statefulsets", kubeconfig=reader)
    assert (allowed.returncode, refused.returncode) == (0, 1)
    assert "Forbidden" in refused.stderr


def test_a_wrong_token_is_unauthorized(
    cluster: access.Cluster, namespace: str, kubectl: access.Run, tmp_path: Path
) -> None:
    wrong = access.kubeconfig_with_wrong_token(cluster, namespace, tmp_path / "wrong")
    assert "Unauthorized" in kubectl("get", "--raw", "/api", kubeconfig=wrong).stderr


def test_a_wrong_authority_fails_the_handshake(
    cluster: access.Cluster, namespace: str, kubectl: access.Run, tmp_path: Path
) -> None:
    wrong = access.kubeconfig_with_wrong_ca(cluster, namespace, tmp_path / "wrong")
    assert "certificate signed by unknown authority" in kubectl("get", "--raw", "/api", kubeconfig=wrong).stderr
