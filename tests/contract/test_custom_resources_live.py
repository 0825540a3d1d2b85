"""Custom resources with a scale subresource of a shape of their own, on a real control plane."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster import manifests
from tests.cluster.access import Cluster, Run, poll

pytestmark = pytest.mark.cluster

Json = dict[str, Any]


class TestCustomResources:
    """Kinds of the shape of Argo Rollouts and LeaderWorkerSets: other paths, other selectors, short names."""

    SHAPES = (
        ("Rollout", "rollouts", "ro", "argo.contract.example.com", ".status.HPAReplicas", ".status.selector"),
        ("LeaderSet", "leadersets", "ldr", "lws.contract.example.com", ".status.replicas", ".status.hpaPodSelector"),
    )

    @pytest.fixture(params=SHAPES, ids=[shape[0] for shape in SHAPES])
    def shape(self, request: pytest.FixtureRequest, cluster: Cluster, namespace: str) -> tuple[str, ...]:
        kind, plural, short, group, counted, selector = shape = request.param
        cluster.apply(_definition(kind, plural, short, group, counted, selector))
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}", "--timeout=30s")
        resource = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "m1"}, "spec": {"replicas": 1}}
        # The resource is served a moment after its definition is established.
        poll(lambda: _applied(cluster, resource, namespace), 30, f"{kind} m1")
        return tuple(shape)

    def test_every_spelling_of_the_type_scales(self, shape: tuple[str, ...], kubectl: Run, mlscale: Run) -> None:
        kind, plural, short, group, *_ = shape
        words = (kind.lower(), plural, short, f"{plural}.{group}", f"{plural}.v1.{group}", kind)
        for count, word in enumerate(words, start=2):
            done = mlscale("scale", f"{word}/m1", "--replicas", str(count))
            assert (done.returncode, done.stdout) == (0, f"{kind.lower()}.{group}/m1 scaled\n"), done.stderr
            stored = kubectl("get", f"{plural}.{group}/m1", "-o", "jsonpath={.spec.replicas}").stdout
            assert stored == str(count)

    def test_an_hpa_can_target_it(self, shape: tuple[str, ...], kubectl: Run, mlscale: Run) -> None:
        kind, plural, _, group, *_ = shape
        done = mlscale("autoscale", f"{plural}.{group}/m1", "--max", "3", "--cpu", "500m")
        assert done.returncode == 0, done.stderr
        reference = json.loads(kubectl("get", "hpa", "m1", "-o", "json").stdout)["spec"]["scaleTargetRef"]
        assert reference == {"apiVersion": f"{group}/v1", "kind": kind, "name": "m1"}

    def test_check_does_not_say_that_its_pods_fit(self, shape: tuple[str, ...], mlscale: Run) -> None:
        _, plural, _, group, *_ = shape
        done = mlscale("scale", f"{plural}.{group}/m1", "--replicas", "3", "--check")
        assert (done.returncode, "whether they fit is unknown" in done.stdout) == (0, True), done.stdout

    def test_a_wait_goes_by_the_count_of_its_controller(
        self, shape: tuple[str, ...], kubectl: Run, waiting: Any
    ) -> None:
        kind, plural, _, group, counted, _ = shape
        process = waiting("scale", f"{plural}.{group}/m1", "--replicas", "3", "--wait", "--timeout", "60s")
        resource = f"{plural}.{group}/m1"
        poll(lambda: kubectl("get", resource, "-o", "jsonpath={.spec.replicas}").stdout == "3", 30, "scale")
        body = json.dumps({"status": {counted.removeprefix(".status."): 3}})
        assert kubectl("patch", resource, "--type=merge", "-p", body).returncode == 0
        stdout, stderr = process.communicate(timeout=60)
        assert (process.returncode, stdout) == (0, f"{kind.lower()}.{group}/m1 scaled\n"), stderr


def _definition(kind: str, plural: str, short: str, group: str, counted: str, selector: str) -> Json:
    definition = manifests.custom_resource_definition(kind)
    definition["metadata"]["name"] = f"{plural}.{group}"
    spec = definition["spec"]
    spec["group"] = group
    spec["names"] = {**spec["names"], "plural": plural, "shortNames": [short]}
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": counted, "labelSelectorPath": selector}
    spec["versions"][0]["subresources"] = {"scale": paths}
    return definition


def _applied(cluster: Cluster, resource: Json, namespace: str) -> bool:
    done = cluster.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(resource), check=False)
    return done.returncode == 0
