"""The four steps of the tutorial with kubectl and with mlscale: the same to the byte, but for ages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cluster import manifests
from tests.contract.agreement import agree

if TYPE_CHECKING:
    from tests.cluster.access import Cluster, Run

pytestmark = pytest.mark.cluster

MODEL = "deployment/my-ml-model"


@pytest.fixture
def model(cluster: Cluster, namespace: str) -> str:
    """A namespace with the deployment my-ml-model of one pod, which runs."""
    body = json.dumps(manifests.deployment("my-ml-model", requests={"cpu": "500m"}))
    # Applied, mlscale would warn that the next kubectl apply sets the replicas back.
    cluster.kubectl("create", "-n", namespace, "-f", "-", input=body)
    cluster.kubectl("rollout", "status", MODEL, "-n", namespace, "--timeout=60s")
    return namespace


def _replicas(kubectl: Run) -> int:
    return int(kubectl("get", MODEL, "-o", "jsonpath={.spec.replicas}").stdout)


@pytest.mark.parametrize(
    "line", ["scale my-ml-model --replicas 3", "scale deployment my-ml-model --replicas=3"], ids=["short", "kubectl's"]
)
def test_scale_to_three(model: str, kubectl: Run, mlscale: Run, line: str) -> None:
    theirs = kubectl("scale", "deployment", "my-ml-model", "--replicas=3")
    assert (theirs.returncode, _replicas(kubectl)) == (0, 3)
    kubectl("scale", "deployment", "my-ml-model", "--replicas=1")
    ours = mlscale(*line.split())
    assert (ours.returncode, _replicas(kubectl)) == (0, 3)
    assert ours.stdout == theirs.stdout == "deployment.apps/my-ml-model scaled\n"
    assert ours.stderr == "note: deployment.apps/my-ml-model: 1 -> 3 replicas\n"


def test_the_pods_by_label(model: str, kubectl: Run, mlscale: Run) -> None:
    kubectl("scale", "deployment", "my-ml-model", "--replicas=3", "--timeout=30s")
    kubectl("rollout", "status", MODEL, "--timeout=60s")
    _same(
        kubectl,
        ("get", "pods", "-l", "app=my-ml-model"),
        mlscale,
        ("status", "-l", "app=my-ml-model", "--only", "pods"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "autoscale my-ml-model --min 2 --max 5 --cpu 50",
        "autoscale deployment my-ml-model --min=2 --max=5 --cpu=50%",
        "autoscale deployment my-ml-model --min=2 --max=5 --cpu-percent=50",
    ],
    ids=["short", "kubectl's", "kubectl's older"],
)
def test_autoscale_between_two_and_five(model: str, kubectl: Run, mlscale: Run, line: str) -> None:
    theirs = kubectl("autoscale", "deployment", "my-ml-model", "--min=2", "--max=5", "--cpu=50%")
    their_spec = _hpa_spec(kubectl)
    kubectl("delete", "hpa", "my-ml-model")
    ours = mlscale(*line.split())
    assert (ours.returncode, _hpa_spec(kubectl)) == (0, their_spec)
    assert ours.stdout == theirs.stdout == "horizontalpodautoscaler.autoscaling/my-ml-model autoscaled\n"
    again = mlscale(*line.split())
    assert (again.returncode, again.stdout) == (0, ours.stdout)


def test_the_hpa(model: str, kubectl: Run, mlscale: Run) -> None:
    mlscale("autoscale", "my-ml-model", "--min", "2", "--max", "5", "--cpu", "50")
    # The first sync writes the number of replicas; with it the row is no longer the one of a new HPA.
    kubectl("wait", "--for=condition=AbleToScale", "hpa/my-ml-model", "--timeout=60s")
    _same(kubectl, ("get", "hpa"), mlscale, ("status", "--only", "hpa"))


def _hpa_spec(kubectl: Run) -> object:
    return json.loads(kubectl("get", "hpa", "my-ml-model", "-o", "json").stdout)["spec"]


def _same(kubectl: Run, their_line: tuple[str, ...], mlscale: Run, our_line: tuple[str, ...]) -> None:
    def printed(run: Run, line: tuple[str, ...]) -> str:
        ran = run(*line)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "my-ml-model" in agree(lambda: printed(mlscale, our_line), lambda: printed(kubectl, their_line))
