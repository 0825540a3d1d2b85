"""What goes wrong after a scale was accepted, on a real control plane: mlscale says why, its exit code what."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.cluster import manifests
from tests.cluster.access import Cluster, Run, poll

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

CPU = {"cpu": "500m"}
NOWHERE = {"mlscale.example.com/nowhere": "true"}


def _replicas(kubectl: Run, name: str = "web") -> int:
    return int(kubectl("get", f"deployment/{name}", "-o", "jsonpath={.spec.replicas}").stdout)


class TestQuota:
    """Two pods are allowed, five are wanted."""

    @pytest.fixture(autouse=True)
    def web(self, cluster: Cluster, namespace: str) -> None:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "two"},
            "spec": {"hard": {"pods": "2"}},
        }
        cluster.apply(quota, namespace)
        # A quota without a status is not enforced yet.
        cluster.kubectl("wait", "--for=jsonpath={.status.hard.pods}=2", "quota/two", "-n", namespace, "--timeout=30s")
        cluster.apply(manifests.deployment("web", 1, requests=CPU), namespace)
        cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")

    def test_a_plain_scale_succeeds_as_with_kubectl(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "5")
        assert (done.returncode, done.stdout, _replicas(kubectl)) == (0, "deployment.apps/web scaled\n", 5)

    def test_a_wait_names_the_quota(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "5", "--wait", "--timeout", "3s")
        assert (done.returncode, done.stdout, _replicas(kubectl)) == (7, "", 5)
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("error: deployment.apps/web was scaled to 5, but after 3 s 2 of 5 pods ready")
        assert "FailedCreate" in last
        assert "exceeded quota: two" in last

    def test_a_statefulset_names_the_quota_too(self, cluster: Cluster, namespace: str, mlscale: Run) -> None:
        # A StatefulSet has no condition that says it: the reason is in an event only.
        cluster.apply(manifests.statefulset("db", 0, requests=CPU), namespace)
        done = mlscale("scale", "sts/db", "--replicas", "3", "--wait", "--timeout", "4s")
        assert done.returncode == 7
        assert "exceeded quota: two" in done.stderr

    def test_a_timeout_without_wait_points_to_it(self, mlscale: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "5", "--timeout", "1s")
        assert (done.returncode, done.stdout) == (7, "")
        assert "2 of 5 pods exist" in done.stderr
        assert "--wait says why" in done.stderr

    def test_check_counts_what_fits_and_changes_nothing(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "5", "--check")
        assert (done.returncode, _replicas(kubectl)) == (6, 1)
        assert "1 of 4" in done.stdout
        assert "two" in done.stdout

    def test_check_has_no_object_to_print(self, mlscale: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "5", "--check", "-o", "json")
        assert (done.returncode, done.stdout) == (2, "")
        assert "-o json" in done.stderr

    def test_check_of_what_fits_succeeds(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "web", "--replicas", "2", "--check")
        assert (done.returncode, _replicas(kubectl)) == (0, 1)

    def test_strict_refuses_all_targets_before_any_change(
        self, cluster: Cluster, namespace: str, mlscale: Run, kubectl: Run
    ) -> None:
        cluster.apply(manifests.deployment("api", 0, requests=CPU), namespace)
        done = mlscale("scale", "api", "web", "--replicas", "5", "--strict")
        assert (done.returncode, done.stdout) == (6, "")
        assert "refused by --strict" in done.stderr
        assert "nothing was changed" in done.stderr
        assert (_replicas(kubectl, "api"), _replicas(kubectl)) == (0, 1)


class TestGpus:
    """Each pod wants all four GPUs of a node, and two nodes have some."""

    @pytest.fixture(autouse=True)
    def trainer(self, cluster: Cluster, namespace: str) -> None:
        gpus = {"nvidia.com/gpu": "4"}
        cluster.apply(manifests.deployment("trainer", 0, requests=gpus, limits=gpus), namespace)

    def test_a_wait_names_the_gpus(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "trainer", "--replicas", "4", "--wait", "--timeout", "4s")
        assert (done.returncode, _replicas(kubectl, "trainer")) == (7, 4)
        assert "Unschedulable" in done.stderr
        assert "nvidia.com/gpu" in done.stderr

    def test_check_names_the_gpus(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "trainer", "--replicas", "4", "--check")
        assert (done.returncode, _replicas(kubectl, "trainer")) == (6, 0)
        assert "of 4" in done.stdout
        assert "nvidia.com/gpu" in done.stdout

    def test_strict_leaves_them_as_they_are(self, mlscale: Run, kubectl: Run) -> None:
        done = mlscale("scale", "trainer", "--replicas", "4", "--strict")
        assert (done.returncode, done.stdout, _replicas(kubectl, "trainer")) == (6, "", 0)
        assert "nvidia.com/gpu" in done.stderr


STATUSES: list[tuple[str, Json, list[str]]] = [
    (
        "ImagePullBackOff",
        {"state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "model:1"'}}},
        ["ImagePullBackOff", "model:1"],
    ),
    (
        "CrashLoopBackOff",
        {
            "restartCount": 5,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        },
        ["CrashLoopBackOff", "killed for memory", "5 restarts"],
    ),
]


@pytest.mark.parametrize(("name", "status", "said"), STATUSES, ids=[name for name, _, _ in STATUSES])
def test_a_wait_says_what_keeps_a_container_from_starting(
    cluster: Cluster, namespace: str, kubectl: Run, mlscale: Run, name: str, status: Json, said: list[str]
) -> None:
    # A pod that nobody schedules keeps the status that the test writes.
    cluster.apply(manifests.deployment("web", 1, requests=CPU, node_selector=NOWHERE), namespace)
    pod = poll(lambda: kubectl("get", "pods", "-l", "app=web", "-o", "name").stdout.strip(), 30, "pod")
    container = {"name": "model", "image": "model:1", "imageID": "", "ready": False, "restartCount": 0, **status}
    scheduled = {"type": "PodScheduled", "status": "True"}
    body = json.dumps({"status": {"containerStatuses": [container], "conditions": [scheduled]}})
    assert kubectl("patch", pod, "--subresource=status", "--type=merge", "-p", body).returncode == 0
    done = mlscale("scale", "web", "--replicas", "1", "--wait", "--timeout", "1s")
    assert done.returncode == 7
    assert [word for word in said if word not in done.stderr] == []


class TestMeanwhile:
    """Pods that nothing can run keep a wait going until somebody else sets the replicas."""

    @pytest.fixture(autouse=True)
    def web(self, cluster: Cluster, namespace: str) -> None:
        cluster.apply(manifests.deployment("web", 1, requests=CPU, node_selector=NOWHERE), namespace)

    def test_an_hpa_that_overrides_is_named(self, cluster: Cluster, namespace: str, mlscale: Run) -> None:
        cluster.apply(manifests.hpa("web", least=1, most=2, name="guard"), namespace)
        done = mlscale("scale", "web", "--replicas", "6", "--wait", "--timeout", "60s")
        assert (done.returncode, done.stdout) == (8, ""), done.stderr
        warning, *_, last = done.stderr.strip().splitlines()
        assert "governed by HPA guard (min 1, max 2): it will bring the replicas back to 2" in warning
        assert last.startswith("error: deployment.apps/web was scaled to 6, then HPA guard set it to 2")

    def test_another_manager_that_overrides_is_named(self, kubectl: Run, waiting: Any) -> None:
        process = waiting("scale", "web", "--replicas", "4", "--wait", "--timeout", "60s")
        poll(lambda: _replicas(kubectl) == 4, 30, "scale to 4")
        body = '{"spec":{"replicas":2}}'
        kubectl("patch", "deployment/web", "--type=merge", "-p", body, "--field-manager=night-shift")
        stdout, stderr = process.communicate(timeout=60)
        assert (process.returncode, stdout) == (8, ""), stderr
        assert "was scaled to 4, then night-shift set it to 2" in stderr

    def test_an_interrupt_ends_the_wait_and_leaves_the_scale(self, kubectl: Run, waiting: Any) -> None:
        process = waiting("scale", "web", "--replicas", "4", "--wait", "--timeout", "60s")
        poll(lambda: _replicas(kubectl) == 4, 30, "scale to 4")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
        assert (process.returncode, stdout, "Traceback" in stderr) == (130, "", False), stderr
        assert _replicas(kubectl) == 4

    def test_a_workload_that_is_deleted_ends_the_wait(self, kubectl: Run, waiting: Any) -> None:
        process = waiting("scale", "web", "--replicas", "4", "--wait", "--timeout", "60s")
        poll(lambda: _replicas(kubectl) == 4, 30, "scale to 4")
        kubectl("delete", "deployment/web")
        _, stderr = process.communicate(timeout=60)
        assert (process.returncode, '"web" not found' in stderr) == (3, True), stderr


class TestOwners:
    """Others that set the replicas too are named on stderr, and --strict refuses for them."""

    def test_zero_switches_an_hpa_off_and_it_says_so(
        self, cluster: Cluster, namespace: str, kubectl: Run, mlscale: Run
    ) -> None:
        cluster.apply([manifests.deployment("web", 1, requests=CPU), manifests.hpa("web")], namespace)
        refused = mlscale("scale", "web", "--replicas", "0", "--strict")
        assert (refused.returncode, _replicas(kubectl)) == (6, 1)
        done = mlscale("scale", "web", "--replicas", "0")
        assert (done.returncode, done.stdout, _replicas(kubectl)) == (0, "deployment.apps/web scaled\n", 0)
        for said in (refused.stderr, done.stderr):
            assert said.count("scaling to 0 switches HPA web off (ScalingDisabled)") == 1

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--server-side", "--field-manager=argocd-controller"), "Argo CD (manager argocd-controller)"),
            (("--server-side", "--field-manager=kustomize-controller"), "Flux (manager kustomize-controller)"),
            (("--server-side",), "kubectl apply --server-side (manager kubectl)"),
            ((), "kubectl apply (manager kubectl-client-side-apply)"),
        ],
        ids=["Argo CD", "Flux", "kubectl apply --server-side", "kubectl apply"],
    )
    def test_a_manifest_that_sets_the_replicas_is_named(
        self, kubectl: Run, mlscale: Run, arguments: tuple[str, ...], said: str
    ) -> None:
        body = json.dumps(manifests.deployment("web", 2, requests=CPU))
        assert kubectl("apply", *arguments, "-f", "-", input=body).returncode == 0
        refused = mlscale("scale", "web", "--replicas", "3", "--strict")
        assert (refused.returncode, refused.stdout, _replicas(kubectl)) == (6, "", 2)
        done = mlscale("scale", "web", "--replicas", "3")
        assert (done.returncode, _replicas(kubectl)) == (0, 3)
        for stderr in (refused.stderr, done.stderr):
            assert stderr.count(f"{said} sets spec.replicas of deployment.apps/web") == 1

    def test_a_manifest_without_replicas_sets_none(self, kubectl: Run, mlscale: Run) -> None:
        manifest = manifests.deployment("web", 2, requests=CPU)
        del manifest["spec"]["replicas"]
        kubectl("apply", "--server-side", "-f", "-", input=json.dumps(manifest))
        done = mlscale("scale", "web", "--replicas", "3", "--strict")
        assert (done.returncode, done.stderr) == (0, "note: deployment.apps/web: 1 -> 3 replicas\n")

    def test_strict_refuses_for_one_target_and_changes_none(
        self, cluster: Cluster, namespace: str, kubectl: Run, mlscale: Run
    ) -> None:
        things = [manifests.deployment(name, 1, requests=CPU) for name in ("api", "web")]
        for thing in things:
            kubectl("create", "-f", "-", input=json.dumps(thing))
        cluster.apply(manifests.hpa("web"), namespace)
        done = mlscale("scale", "api", "web", "--replicas", "3", "--strict")
        assert (done.returncode, done.stdout) == (6, "")
        assert (_replicas(kubectl, "api"), _replicas(kubectl, "web")) == (1, 1)
        done = mlscale("scale", "api", "--replicas", "3", "--strict")
        assert (done.returncode, done.stdout) == (0, "deployment.apps/api scaled\n")


class TestRaces:
    """A precondition is checked by the server in the request that writes."""

    def test_many_that_expect_the_same_count_let_one_through(
        self, cluster: Cluster, namespace: str, kubectl: Run, waiting: Any
    ) -> None:
        cluster.apply(manifests.deployment("web", 0, requests=CPU), namespace)
        racers = [waiting("scale", "web", "--current-replicas", "0", "--replicas", str(count)) for count in range(1, 6)]
        for racer in racers:
            racer.communicate(timeout=60)
        codes = [racer.returncode for racer in racers]
        assert sorted(codes) == [0, 5, 5, 5, 5]
        assert _replicas(kubectl) == codes.index(0) + 1

    def test_an_old_resource_version_changes_nothing(
        self, cluster: Cluster, namespace: str, kubectl: Run, mlscale: Run
    ) -> None:
        cluster.apply(manifests.deployment("web", 1, requests=CPU, node_selector=NOWHERE), namespace)
        version = kubectl("get", "deployment/web", "-o", "jsonpath={.metadata.resourceVersion}").stdout
        kubectl("scale", "deployment/web", "--replicas=2")
        done = mlscale("scale", "web", "--resource-version", version, "--replicas", "3")
        assert (done.returncode, done.stdout, _replicas(kubectl)) == (5, "", 2)
        assert f"is no longer at resource version {version}" in done.stderr
