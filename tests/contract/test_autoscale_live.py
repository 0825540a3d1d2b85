"""The verb ``autoscale`` against the real control plane."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.autoscale import HpaOptions, Outcome, WriteOptions, autoscale, parse_settings
from mlscale.errors import ConflictError, NotFoundError, RefusedError
from mlscale.hpa.spec import build_hpa
from mlscale.kube.access import Overrides
from mlscale.kube.client import Client
from mlscale.kube.discovery import Kinds
from mlscale.kube.kinds import DAEMONSET, DEPLOYMENT, HPA, STATEFULSET, Kind
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.targets import Found, Target
from mlscale.kube.transport import Transport
from tests.cluster import access, manifests

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cluster

Json = dict[str, Any]
REQUESTS = {"cpu": "500m", "memory": "1Gi"}


def connect(kubeconfig: Path) -> Client:
    reached = read_access(Overrides(kubeconfig=str(kubeconfig)), os.environ)
    return Client(reached, Transport(reached, timeout=30.0))


@pytest.fixture
def client(kubeconfig: Path) -> Client:
    return connect(kubeconfig)


@pytest.fixture
def web(cluster: access.Cluster, namespace: str) -> Target:
    """A deployment of two pods with requests for CPU and memory."""
    cluster.apply(manifests.deployment("web", 2, requests=REQUESTS), namespace)
    return Target(DEPLOYMENT, namespace, "web")


def run(client: Client, *targets: Target, write: Json | None = None, **options: Any) -> list[Outcome]:
    kinds = Kinds(client)
    settings = parse_settings(HpaOptions(**{"min": "2", "max": "5", "cpu": "50", **options}), kinds.named)
    # Not live: each is then read from the server.
    found = [Found(target, {}, live=False) for target in targets]
    return list(autoscale(client, found, settings, WriteOptions(**(write or {}))))


def stored(cluster: access.Cluster, namespace: str, name: str = "web") -> Json:
    return cluster.get("hpa.v2.autoscaling", name, "-n", namespace)


def warned(outcome: Outcome) -> set[str]:
    return {finding.reason for finding in outcome.findings if finding.level == "warning"}


def test_create_again_and_change(cluster: access.Cluster, client: Client, web: Target) -> None:
    (created,) = run(client, web)
    assert (created.action, created.error) == ("created", None)
    before = stored(cluster, web.namespace)
    assert (before["spec"]["minReplicas"], before["spec"]["maxReplicas"]) == (2, 5)
    assert before["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50

    (again,) = run(client, web)
    assert (again.action, again.changes) == ("unchanged", ())
    assert stored(cluster, web.namespace)["metadata"]["generation"] == before["metadata"]["generation"]

    (changed,) = run(client, web, max="6", cpu="60%", scale_down="window=1m")
    assert changed.action == "configured"
    assert {"maxReplicas: 5 -> 6", "metrics cpu: 50% -> 60%"} <= set(changed.changes)
    assert "behavior.scaleDown.stabilizationWindowSeconds: (none) -> 60" in changed.changes
    assert stored(cluster, web.namespace)["spec"]["maxReplicas"] == 6


def test_what_is_left_out_later_returns_to_the_default(cluster: access.Cluster, client: Client, web: Target) -> None:
    run(client, web)
    (changed,) = run(client, web, min=None, cpu=None)
    assert set(changed.changes) == {"minReplicas: 2 -> 1", "metrics cpu: 50% -> 80%"}


@pytest.mark.parametrize("dry_run", ["client", "server"])
def test_a_dry_run_stores_nothing(cluster: access.Cluster, client: Client, web: Target, dry_run: str) -> None:
    (outcome,) = run(client, web, write={"dry_run": dry_run})
    assert outcome.action == "created"
    assert cluster.kubectl("get", "hpa", "web", "-n", web.namespace, check=False).returncode == 1
    run(client, web)
    (outcome,) = run(client, web, max="7", write={"dry_run": dry_run})
    assert (outcome.action, outcome.changes) == ("configured", ("maxReplicas: 5 -> 7",))
    assert stored(cluster, web.namespace)["spec"]["maxReplicas"] == 5


def test_a_conflict_with_kubectl_autoscale(cluster: access.Cluster, client: Client, web: Target) -> None:
    cluster.kubectl("autoscale", "deployment", "web", "--min=2", "--max=4", "--cpu=50%", "-n", web.namespace)
    (shared,) = run(client, web, max="4")
    assert (shared.action, shared.error) == ("unchanged", None)

    (refused,) = run(client, web, min="3", max="5")
    assert isinstance(refused.error, ConflictError)
    for part in ("kubectl-autoscale", "spec.maxReplicas", "spec.minReplicas", "--force-conflicts"):
        assert part in str(refused.error)
    assert "\n" not in str(refused.error)
    assert stored(cluster, web.namespace)["spec"]["maxReplicas"] == 4

    (taken,) = run(client, web, min="3", max="5", write={"force_conflicts": True})
    assert taken.action == "configured"
    assert set(taken.changes) == {"minReplicas: 2 -> 3", "maxReplicas: 4 -> 5"}
    (kept,) = run(client, web, min="3", max="6")
    assert kept.changes == ("maxReplicas: 5 -> 6",)


def test_a_missing_request(cluster: access.Cluster, client: Client, namespace: str) -> None:
    cluster.apply(manifests.deployment("bare", 1), namespace)
    bare = Target(DEPLOYMENT, namespace, "bare")
    (refused,) = run(client, bare)
    assert isinstance(refused.error, RefusedError)
    assert "container model of deployment.apps/bare has no cpu request" in str(refused.error)
    assert cluster.kubectl("get", "hpa", "-n", namespace, "-o", "name").stdout == ""

    (forced,) = run(client, bare, write={"force": True})
    assert forced.action == "created"
    assert "MissingRequest" in warned(forced)


def test_the_fix_that_is_told_works(cluster: access.Cluster, client: Client, namespace: str) -> None:
    cluster.apply(manifests.deployment("bare", 0), namespace)
    bare = Target(DEPLOYMENT, namespace, "bare")
    (refused,) = run(client, bare, memory="70%")
    for finding in refused.findings:
        if finding.reason == "MissingRequest":
            cluster.kubectl(*finding.message.partition("kubectl ")[2].split())
    (created,) = run(client, bare, memory="70%")
    assert created.error is None


def test_a_limit_range_supplies_the_request(cluster: access.Cluster, client: Client, namespace: str) -> None:
    limits = [{"type": "Container", "max": {"cpu": "2"}, "defaultRequest": {"cpu": "100m"}}]
    limit_range = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults"},
        "spec": {"limits": limits},
    }
    cluster.apply([limit_range, manifests.deployment("bare", 0)], namespace)
    (created,) = run(client, Target(DEPLOYMENT, namespace, "bare"))
    assert created.error is None


def test_a_second_hpa(cluster: access.Cluster, client: Client, web: Target) -> None:
    run(client, web)
    (refused,) = run(client, web, write={"name": "web2"})
    assert isinstance(refused.error, RefusedError)
    assert "horizontalpodautoscaler.autoscaling/web scales it already" in str(refused.error)
    (forced,) = run(client, web, write={"name": "web2", "force": True})
    assert forced.action == "created"


def test_a_name_that_is_taken(cluster: access.Cluster, client: Client, web: Target) -> None:
    cluster.apply(manifests.statefulset("web", 1, requests=REQUESTS, labels={"app": "db"}), web.namespace)
    outcomes = run(client, web, Target(STATEFULSET, web.namespace, "web"))
    assert outcomes[0].action == "created"
    assert isinstance(outcomes[1].error, RefusedError)
    assert stored(cluster, web.namespace)["spec"]["scaleTargetRef"]["kind"] == "Deployment"


def test_a_hpa_of_keda(cluster: access.Cluster, client: Client, web: Target) -> None:
    """By KEDA's labels: an owner that does not exist would have the HPA collected."""
    hpa = manifests.hpa("web", name="keda-hpa-web")
    hpa["metadata"]["labels"] = {
        "app.kubernetes.io/managed-by": "keda-operator",
        "scaledobject.keda.sh/name": "web",
    }
    cluster.apply(hpa, web.namespace)
    (refused,) = run(client, web)
    assert isinstance(refused.error, RefusedError)
    assert "scaledobject.keda.sh/web scales it" in str(refused.error)
    assert "SecondHpa" not in {finding.reason for finding in refused.findings}


@pytest.mark.parametrize("force", [False, True])
def test_a_daemonset(cluster: access.Cluster, client: Client, namespace: str, force: bool) -> None:
    body = manifests.deployment("logd", 1, requests=REQUESTS, node_selector={"none": "such"})
    body["kind"] = "DaemonSet"
    body["spec"].pop("replicas")
    cluster.apply(body, namespace)
    (refused,) = run(client, Target(DAEMONSET, namespace, "logd"), write={"force": force})
    assert isinstance(refused.error, RefusedError)
    assert "cannot autoscale a DaemonSet" in str(refused.error)


def test_names_that_do_not_exist(client: Client, web: Target) -> None:
    missing, nowhere = run(client, Target(DEPLOYMENT, web.namespace, "wbe"), Target(DEPLOYMENT, "no-such-ns", "web"))
    assert isinstance(missing.error, NotFoundError)
    assert 'did you mean "web"?' in str(missing.error)
    assert isinstance(nowhere.error, NotFoundError)
    assert 'namespace "no-such-ns" not found' in str(nowhere.error)


def test_a_custom_resource(cluster: access.Cluster, client: Client, namespace: str) -> None:
    cluster.apply(manifests.custom_resource_definition())
    cluster.kubectl("wait", "--for=condition=Established", f"crd/modelservers.{manifests.GROUP}", "--timeout=30s")
    cluster.apply(manifests.custom_resource("m1", 2), namespace)
    kind = Kind(manifests.GROUP, "v1", "ModelServer", "modelservers", scalable=True)
    (created,) = run(client, Target(kind, namespace, "m1"))
    assert created.error is None
    reference = stored(cluster, namespace, "m1")["spec"]["scaleTargetRef"]
    assert reference == {"apiVersion": f"{manifests.GROUP}/v1", "kind": "ModelServer", "name": "m1"}


def test_replicas_of_a_manifest_and_metrics_apis(client: Client, web: Target) -> None:
    """The deployment came by kubectl apply with replicas; nothing serves custom metrics here."""
    (outcome,) = run(client, web, cpu=None, metrics=("pods:rps=10",))
    assert {"ManifestSetsReplicas", "MetricsApiAbsent"} <= warned(outcome)


def test_with_the_right_to_write_hpas_only(
    cluster: access.Cluster, client: Client, web: Target, tmp_path: Path
) -> None:
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
        {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["create", "patch"]},
    ]
    restricted = connect(access.kubeconfig_restricted(cluster, web.namespace, tmp_path / "restricted", rules))
    (outcome,) = run(restricted, web)
    assert (outcome.action, outcome.error) == ("applied", None)
    unchecked = [finding.message for finding in outcome.findings if finding.reason == "NotChecked"]
    assert "not checked: horizontalpodautoscalers may not be listed" in unchecked
    assert f"not checked: the scale of {web.printed} may not be read" in unchecked


SPELLINGS: list[Json] = [
    {},
    {"cpu": "50"},
    {"cpu": "50%"},
    {"cpu": "101%"},
    {"cpu": "500m"},
    {"cpu": "0.5k"},
    {"cpu": "2147483647%"},
    {"cpu_percent": "80"},
    {"memory": "70"},
    {"memory": "200Mi"},
    {"memory": "1.5G"},
    {"cpu": "50%", "memory": "70%", "container": "model"},
    {"metrics": ("pods:requests_per_second=10",)},
    {"metrics": ("pods:rps{verb=GET,example.com/zone=eu-1}=avg:500m",)},
    {"metrics": ("object:deployments.apps/main:requests_per_second=2k",)},
    {"metrics": ("object:svc/web:rps{code=200}=avg:10",)},
    {"metrics": ("external:queue_messages_ready=30",)},
    {"metrics": ("external:job:depth:max{queue=a,empty=}=avg:30", "pods:rps=1"), "cpu": "50%"},
    {"min": "0", "metrics": ("external:q=1",)},
    {"min": "5"},
    {"min": "1", "max": "2147483647"},
    {"cpu": "50", "scale_up": "pods=4/15s,percent=100/15s,window=0s,select=max"},
    {"cpu": "50", "scale_up": "percent=900%/30m,window=1h,select=min", "scale_down": "disabled"},
    {"cpu": "50", "scale_down": "pods=2147483647/1", "tolerance": "0.05"},
    {"cpu": "50", "scale_down": "window=5m", "tolerance": "up=0.01,down=0.2"},
    {"cpu": "50", "tolerance": "0"},
    {"cpu": "50", "tolerance": "up=1.5"},
]


@pytest.mark.parametrize("options", SPELLINGS, ids=lambda options: " ".join(map(str, options.values())) or "none")
def test_the_server_takes_every_spelling(cluster: access.Cluster, options: Json) -> None:
    client = connect(cluster.kubeconfig)
    settings = parse_settings(HpaOptions(**{"max": "5", **options}), Kinds(client).named)
    manifest = build_hpa("web", Target(DEPLOYMENT, "default", "web"), settings)
    answer = client.create(HPA.path("default"), manifest, dryRun="All", fieldValidation="Strict")
    assert answer["spec"]["maxReplicas"] == settings.max_replicas
    assert (answer["spec"]["minReplicas"], answer["spec"]["metrics"]) == (
        settings.effective_min,
        settings.effective_metrics,
    )
    for direction, rules in (settings.behavior or {}).items():
        assert rules.items() <= answer["spec"]["behavior"][direction].items()
