"""Every status that the sandbox's kubelet writes is one that a real API server takes and stores as it is."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.container_life import ContainerLife, ContainerPlan, Probe, State, advance, begin, killed
from mlscale.sandbox.pod_status import pod_status, pod_title
from tests.contract.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.access import Cluster

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
PLAN = ContainerPlan("c", "registry.example.com/web:1")
POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {
        "schedulerName": "nobody",
        "initContainers": [
            {"name": "fetch", "image": "fetch"},
            {"name": "proxy", "image": "proxy", "restartPolicy": "Always"},
        ],
        "containers": [
            {
                "name": "c",
                "image": PLAN.image,
                "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            },
            {"name": "d", "image": "docker.io/library/d"},
        ],
    },
}


@pytest.fixture(scope="module")
def api(control_plane_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Api:
    return Api(control_plane_cluster.kubeconfig, tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def pod(api: Api) -> Iterator[Json]:
    """A pod that no node takes."""
    namespace = f"statuses-{secrets.token_hex(4)}"
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    # Without its account, which the controllers make a moment later, the pod is refused.
    account = {"metadata": {"name": "statuses"}}
    api.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    body = {**POD, "metadata": {"name": "p"}, "spec": {**POD["spec"], "serviceAccountName": "statuses"}}
    yield api.call("POST", f"/api/v1/namespaces/{namespace}/pods", body)
    api.call("DELETE", f"/api/v1/namespaces/{namespace}")


def lived(plan: ContainerPlan, seconds: float, title: str) -> ContainerLife:
    life, _ = begin(plan, START)
    life, _ = advance(life, START + timedelta(seconds=seconds), title)
    return life


@pytest.mark.parametrize(
    ("plan", "seconds", "state"),
    [
        (ContainerPlan("c", PLAN.image, pull=10), 0, State.CREATING),
        (PLAN, 20, State.RUNNING),
        (ContainerPlan("c", PLAN.image, load=100, probe=Probe(0, 5, "httpGet")), 20, State.RUNNING),
        (ContainerPlan("c", PLAN.image, missing=True), 1, State.PULL_FAILED),
        (ContainerPlan("c", PLAN.image, missing=True), 3, State.PULL_BACKOFF),
        (ContainerPlan("c", PLAN.image, crash_after=5), 5, State.ENDED),
        (ContainerPlan("c", PLAN.image, crash_after=5), 8, State.RUNNING),
        (ContainerPlan("c", PLAN.image, crash_after=5), 13, State.CRASH_BACKOFF),
    ],
    ids=["creating", "running", "not-ready", "pull-failed", "pull-backoff", "crashed", "restarted", "crash-backoff"],
)
def test_a_status_is_stored_as_it_is(api: Api, pod: Json, plan: ContainerPlan, seconds: float, state: State) -> None:
    main = lived(plan, seconds, pod_title(pod))
    assert main.state is state
    _stored_as_it_is(api, pod, main, seconds)


def test_one_that_was_killed(api: Api, pod: Json) -> None:
    _stored_as_it_is(
        api, pod, killed(lived(PLAN, 20, pod_title(pod)), START + timedelta(seconds=20), "OOMKilled", 137), 20
    )


def _stored_as_it_is(api: Api, pod: Json, main: ContainerLife, seconds: float) -> None:
    side = lived(ContainerPlan("d", "docker.io/library/d"), seconds, pod_title(pod))
    now = START + timedelta(seconds=seconds)
    status = pod_status(pod, [main, side], "10.0.0.1", "192.168.0.1", START, now)
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/p/status?dryRun=All&fieldValidation=Strict"
    answer = api.call("PUT", path, json.loads(json.dumps({**pod, "status": status})))
    assert answer["status"] == status
