"""From facts to a plan: each refusal and warning with the nearest case that has none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mlscale.autoscale.facts import NamespaceFacts, TargetFacts
from mlscale.autoscale.plan import Plan, plan_autoscale
from mlscale.errors import ExitCode, RefusedError
from mlscale.hpa.spec import HpaOptions, HpaSettings, parse_settings
from mlscale.kube.kinds import DAEMONSET, DEPLOYMENT, SERVICE, Kind
from mlscale.kube.targets import Target

WEB = Target(DEPLOYMENT, "lab", "web")
ROLLOUT = Target(Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", scalable=True), "lab", "web")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def kind_of(_: str) -> Kind:
    return SERVICE


def settings(**options: Any) -> HpaSettings:
    return parse_settings(HpaOptions(**{"min": "2", "max": "5", "cpu": "50%", **options}), kind_of)


def pod_spec(cpu: str = "500m", name: str = "server", **resources: Any) -> dict[str, Any]:
    return {"containers": [{"name": name, "resources": resources or ({"requests": {"cpu": cpu}} if cpu else {})}]}


def workload(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web", **metadata}, "spec": {"template": {"spec": spec or pod_spec()}}}


def scale(replicas: int = 3, selector: str = "app=web") -> dict[str, Any]:
    return {"spec": {"replicas": replicas}, "status": {"replicas": replicas, "selector": selector}}


def hpa(name: str, kind: str = "Deployment", target: str = "web", **metadata: Any) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    return {
        "metadata": {"name": name, "namespace": "lab", **metadata},
        "spec": {"scaleTargetRef": reference, "maxReplicas": 3},
    }


def pod(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def plan(
    chosen: HpaSettings | None = None, *, name: str = "", namespace: NamespaceFacts | None = None, **facts: Any
) -> Plan:
    known: dict[str, Any] = {"target": WEB, "workload": workload(), "scale": scale(), **facts}
    return plan_autoscale(TargetFacts(namespace=namespace or NamespaceFacts(), **known), chosen or settings(), name)


def messages(made: Plan, level: str) -> dict[str, str]:
    return {finding.reason: finding.message for finding in made.findings if finding.level == level}


def test_nothing_speaks_against_it() -> None:
    made = plan()
    assert made.refusal() is None
    assert messages(made, "warning") == {}
    assert made.name == "web"
    assert made.existing is None


def test_a_missing_request_is_refused_with_its_fix() -> None:
    made = plan(workload=workload(pod_spec("")))
    refusal = made.refusal()
    assert refusal is not None
    assert refusal.exit_code == ExitCode.REFUSED
    assert str(refusal) == (
        "deployment.apps/web was not autoscaled: container server of deployment.apps/web has no cpu request, which "
        "the target is a share of; set one, such as: kubectl set resources deployment web -c server "
        "--requests=cpu=500m -n lab; --force writes the HPA all the same"
    )


@pytest.mark.parametrize(
    "options",
    [{"cpu": "500m"}, {"cpu": None, "memory": "200Mi"}, {"cpu": None, "metrics": ("external:q=1",)}],
)
def test_amounts_need_no_request(options: dict[str, Any]) -> None:
    assert plan(settings(**options), workload=workload(pod_spec(""))).refusal() is None


def test_the_default_metric_needs_the_cpu_request_too() -> None:
    assert "MissingRequest" in messages(plan(settings(cpu=None), workload=workload(pod_spec(""))), "refusal")


def test_a_limit_range_supplies_the_request() -> None:
    limit_range = {"spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "100m"}}]}}
    made = plan(workload=workload(pod_spec("")), namespace=NamespaceFacts(limit_ranges=(limit_range,)))
    assert made.refusal() is None


def test_a_limit_is_a_request() -> None:
    assert plan(workload=workload(pod_spec(limits={"cpu": "1"}))).refusal() is None


def test_what_runs_decides_over_the_template() -> None:
    """A webhook may add requests that the template does not show."""
    running = (pod("web-1", pod_spec()),)
    assert plan(workload=workload(pod_spec("")), pods=running).refusal() is None
    lacking = (pod("web-1", pod_spec()), pod("web-2", pod_spec("")))
    assert plan(workload=workload(pod_spec("")), pods=lacking).refusal() is not None


def test_an_old_pod_without_the_request_is_a_warning() -> None:
    """The template has the request, so the pod goes away with the rollout."""
    made = plan(pods=(pod("web-1", pod_spec()), pod("web-old", pod_spec(""))))
    assert made.refusal() is None
    assert messages(made, "warning")["PodWithoutRequest"].startswith("pod/web-old has no cpu request")


def test_a_container_that_is_not_there() -> None:
    refusals = messages(plan(settings(container="proxy")), "refusal")
    assert refusals["NoSuchContainer"] == "deployment.apps/web has no container 'proxy'; it has server"
    injected = pod("web-1", {"containers": [*pod_spec()["containers"], *pod_spec(name="proxy")["containers"]]})
    assert plan(settings(container="proxy"), pods=(injected,)).refusal() is None


def test_a_custom_resource_without_template_is_judged_by_its_pods() -> None:
    bare = {"metadata": {"name": "web"}, "spec": {"replicas": 1}}
    assert plan(target=ROLLOUT, workload=bare).refusal() is None
    refusals = messages(plan(target=ROLLOUT, workload=bare, pods=(pod("web-1", pod_spec("")),)), "refusal")
    assert refusals["MissingRequest"].endswith("set one in its manifest, such as cpu=500m")


def test_no_scale_subresource_is_final() -> None:
    with pytest.raises(RefusedError, match=r"cannot autoscale a DaemonSet: daemonsets\.apps have no scale subresource"):
        plan(target=Target(DAEMONSET, "lab", "web"), scalable=False, scale=None)


@pytest.mark.parametrize(
    ("others", "name", "refused"),
    [
        ((), "", False),
        ((hpa("web"),), "", False),  # the one that is to be updated
        ((hpa("web2"),), "", True),
        ((hpa("web2"),), "web2", False),
        ((hpa("web"), hpa("web2")), "web", True),
        ((hpa("db", kind="StatefulSet", target="web"),), "", False),
        ((hpa("api", target="api"),), "", False),
    ],
)
def test_a_second_hpa(others: tuple[dict[str, Any], ...], name: str, refused: bool) -> None:
    made = plan(name=name, namespace=NamespaceFacts(hpas=others))
    assert ("SecondHpa" in messages(made, "refusal")) is refused


def test_the_second_hpa_is_named() -> None:
    message = messages(plan(namespace=NamespaceFacts(hpas=(hpa("web2"),))), "refusal")["SecondHpa"]
    assert message == (
        "horizontalpodautoscaler.autoscaling/web2 scales it already, and with two neither works (AmbiguousSelector); "
        "give --name web2 to change that one, or delete it"
    )


def test_a_name_that_another_targets_hpa_has() -> None:
    """Without the check, the apply would turn that HPA away from its target."""
    made = plan(namespace=NamespaceFacts(hpas=(hpa("web", kind="StatefulSet"),)))
    assert messages(made, "refusal")["NameTaken"] == (
        "horizontalpodautoscaler.autoscaling/web scales StatefulSet/web; give this one another --name"
    )


@pytest.mark.parametrize(
    ("reference", "refused"),
    [
        ({"name": "web"}, True),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, True),
        ({"name": "api"}, False),
        ({"kind": "StatefulSet", "name": "web"}, False),
    ],
)
def test_a_scaled_object(reference: dict[str, str], refused: bool) -> None:
    scaled_object = {"metadata": {"name": "web-so"}, "spec": {"scaleTargetRef": reference}}
    made = plan(namespace=NamespaceFacts(scaled_objects=(scaled_object,)))
    assert ("KedaScaledObject" in messages(made, "refusal")) is refused


def test_a_hpa_of_keda_is_told_as_its_scaled_object() -> None:
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "web-so"}
    made = plan(namespace=NamespaceFacts(hpas=(hpa("keda-hpa-web-so", ownerReferences=[owner]),), scaled_objects=None))
    refusals = messages(made, "refusal")
    assert list(refusals) == ["KedaScaledObject"]
    assert refusals["KedaScaledObject"].startswith("scaledobject.keda.sh/web-so scales it")


def test_all_reasons_are_told_at_once() -> None:
    made = plan(workload=workload(pod_spec("")), namespace=NamespaceFacts(hpas=(hpa("web2"),)))
    refusal = made.refusal()
    assert refusal is not None
    assert "web2" in refusal.message
    assert "no cpu request" in refusal.message


def test_replicas_of_a_manifest() -> None:
    def applied(spec: dict[str, Any]) -> dict[str, Any]:
        return workload(annotations={LAST_APPLIED: json.dumps({"spec": spec})})

    warnings = messages(plan(workload=applied({"replicas": 3})), "warning")
    assert "kubectl apply" in warnings["ManifestSetsReplicas"]
    assert warnings["ManifestSetsReplicas"].endswith("leave spec.replicas out of the manifest under an HPA")
    assert "ManifestSetsReplicas" not in messages(plan(workload=applied({})), "warning")


@pytest.mark.parametrize(
    ("replicas", "level", "reason", "part"),
    [
        (0, "warning", "ScaledToZero", "scale it to 2"),
        (1, "note", "OutOfRange", "the HPA sets 2 at once"),
        (8, "note", "OutOfRange", "the HPA sets 5 at once"),
    ],
)
def test_replicas_that_are_there(replicas: int, level: str, reason: str, part: str) -> None:
    assert part in messages(plan(scale=scale(replicas)), level)[reason]
    assert reason not in messages(plan(scale=scale(2)), level)


def test_zero_is_no_pause_where_min_is_zero() -> None:
    chosen = settings(min="0", cpu=None, metrics=("external:q=1",))
    assert "ScaledToZero" not in messages(plan(chosen, scale=scale(0)), "warning")


def test_what_could_not_be_read_is_told() -> None:
    namespace = NamespaceFacts(hpas=None, unread=("horizontalpodautoscalers may not be listed",))
    made = plan(namespace=namespace)
    assert messages(made, "warning")["NotChecked"] == "not checked: horizontalpodautoscalers may not be listed"
    assert not made.existing_known
    assert "NotChecked" in messages(plan(scale=None), "warning")


def test_an_absent_metrics_api() -> None:
    warnings = messages(plan(namespace=NamespaceFacts(unserved=("metrics.k8s.io",))), "warning")
    assert warnings["MetricsApiAbsent"].startswith("metrics.k8s.io does not answer")


def test_a_scale_without_selector() -> None:
    assert "NoSelector" in messages(plan(scale=scale(selector="")), "warning")


def test_the_present_use() -> None:
    def measured(cpu: str, pods: int = 3) -> tuple[dict[str, Any], ...]:
        use = [{"name": "server", "usage": {"cpu": cpu}}]
        return tuple({"metadata": {"name": f"web-{n}"}, "containers": use} for n in range(pods))

    assert messages(plan(pod_metrics=measured("400m")), "note")["PresentUse"] == (
        "at the present use (80 % of cpu) the HPA wants 5 replicas; there are 3"
    )
    assert "PresentUse" not in messages(plan(pod_metrics=measured("250m")), "note")
    # One pod has no metrics yet: the controller then reckons differently.
    assert "PresentUse" not in messages(plan(pod_metrics=measured("400m", pods=2)), "note")


@pytest.mark.parametrize(("sampled", "said"), [("08:00:45Z", False), ("08:01:00Z", True)])
def test_the_present_use_of_a_pod_counts_once_it_was_measured_as_ready(sampled: str, said: bool) -> None:
    """Ready at 08:00:40 and measured over 15 s: until 08:00:55 the CPU of its own start is in the sample."""
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T08:00:40Z"}
    status = {"phase": "Running", "startTime": "2026-11-24T08:00:30Z", "conditions": [ready]}
    pods = tuple({**pod(f"web-{n}", pod_spec()), "status": status} for n in range(3))
    measured = tuple(
        {
            "metadata": {"name": one["metadata"]["name"]},
            "timestamp": f"2026-11-24T{sampled}",
            "window": "15s",
            "containers": [{"name": "server", "usage": {"cpu": "400m"}}],
        }
        for one in pods
    )
    now = datetime(2026, 11, 24, 8, 1, 5, tzinfo=UTC).timestamp()
    notes = messages(plan(pods=pods, pod_metrics=measured, now=now), "note")
    assert ("PresentUse" in notes) == said


def test_text_of_the_cluster_is_made_harmless() -> None:
    made = plan(workload=workload(pod_spec("", name="\x1b[31mred")))
    assert "\x1b" not in str(made.refusal())


def test_findings_of_all_kinds_come_together() -> None:
    made = plan(settings(cpu="50"))
    assert [finding.reason for finding in made.findings] == ["ReadAsPercent", "Thresholds"]
