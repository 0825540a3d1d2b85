"""Objects in many states, for comparing their rows with those of a real API server.

Each is an object as it is created; its ``status`` is what is written to its status subresource after that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


class Clock:
    """Timestamps before and after one moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def ago(self, seconds: float) -> str:
        return (self._now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def micro_ago(self, seconds: float) -> str:
        return (self._now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def named(name: str, **parts: Any) -> Json:
    metadata = {"name": name, **parts.pop("metadata", {})}
    return {"metadata": metadata, **parts}


def condition(kind: str, status: str = "True", **more: str) -> Json:
    return {"type": kind, "status": status, **more}


def template(labels: dict[str, str], *, containers: int = 1, **spec: Any) -> Json:
    images = [{"name": f"c{index}", "image": f"model:{index}"} for index in range(containers)]
    nowhere = {"schedulerName": "none", "automountServiceAccountToken": False}
    return {"metadata": {"labels": labels}, "spec": {**nowhere, "containers": images, **spec}}


WEB = {"app": "web", "tier": "front"}
EXPRESSIONS: Json = {
    "matchLabels": WEB,
    "matchExpressions": [
        {"key": "tier", "operator": "Exists"},
        {"key": "absent", "operator": "DoesNotExist"},
        {"key": "app", "operator": "In", "values": ["web", "api"]},
        {"key": "zone", "operator": "NotIn", "values": ["b"]},
    ],
}


def workload(name: str, selector: Json, status: Json, **spec: Any) -> Json:
    whole = {"template": template(WEB, containers=2), "selector": selector, "replicas": 0, **spec}
    return named(name, spec=whole, status=status)


def deployments(clock: Clock) -> list[Json]:
    del clock
    counts = {"replicas": 5, "updatedReplicas": 3, "readyReplicas": 2, "availableReplicas": 1}
    return [
        workload("idle", {"matchLabels": WEB}, {}),
        workload("rolling", {"matchLabels": WEB}, counts, paused=True, replicas=4),
        workload("selective", EXPRESSIONS, {}),
    ]


def replicasets(clock: Clock) -> list[Json]:
    del clock
    counts = {"replicas": 5, "fullyLabeledReplicas": 5, "readyReplicas": 2, "availableReplicas": 1}
    return [workload("idle", {"matchLabels": WEB}, {"replicas": 0}), workload("busy", EXPRESSIONS, counts)]


def replicationcontrollers(clock: Clock) -> list[Json]:
    del clock
    return [workload("old", WEB, {"replicas": 4, "fullyLabeledReplicas": 4, "readyReplicas": 3})]


def statefulsets(clock: Clock) -> list[Json]:
    del clock
    counts = {"replicas": 5, "readyReplicas": 2, "currentReplicas": 1, "updatedReplicas": 2, "availableReplicas": 0}
    return [workload("db", {"matchLabels": WEB}, counts, serviceName="db")]


def daemonsets(clock: Clock) -> list[Json]:
    del clock
    counts = {
        "desiredNumberScheduled": 9,
        "currentNumberScheduled": 8,
        "numberReady": 7,
        "updatedNumberScheduled": 6,
        "numberAvailable": 5,
        "numberMisscheduled": 1,
    }
    nowhere = template(WEB, nodeSelector={"nowhere": "true", "disk": "ssd"})
    some = {"selector": {"matchLabels": WEB}, "template": nowhere}
    return [named("agents", spec=some, status=counts)]


def jobs(clock: Clock) -> list[Json]:
    """Jobs that stay suspended, so that no controller starts them."""
    started = {"startTime": clock.ago(3700)}
    met = condition("SuccessCriteriaMet", lastTransitionTime=clock.ago(100))
    complete = {**started, "completionTime": clock.ago(100), "succeeded": 3}
    failing = condition("FailureTarget", lastTransitionTime=clock.ago(90))
    cases: list[tuple[str, Json, Json]] = [
        ("unstarted", {"completions": 4}, {}),
        ("suspended", {"completions": 4}, {"conditions": [condition("Suspended")]}),
        ("resumed", {"completions": 4}, {**started, "succeeded": 1, "conditions": [condition("Suspended", "False")]}),
        ("complete", {"completions": 3}, {**complete, "conditions": [met, condition("Complete")]}),
        ("failed", {"completions": 3}, {**started, "conditions": [failing, condition("Failed")]}),
        ("failing", {"completions": 3}, {**started, "conditions": [failing]}),
        ("succeeding", {"completions": 3}, {**started, "conditions": [met]}),
        ("any-of-three", {"parallelism": 3}, {**started, "succeeded": 1}),
        ("one", {}, {}),
    ]
    never = template({"kind": "job"}, restartPolicy="Never")
    return [
        named(name, spec={"suspend": not status.get("startTime"), "template": never, **spec}, status=status)
        for name, spec, status in cases
    ]


def cronjobs(clock: Clock) -> list[Json]:
    job = {"spec": {"template": template({"kind": "job"}, restartPolicy="Never")}}
    running = {"active": [{"kind": "Job", "name": "a"}, {"kind": "Job", "name": "b"}]}
    nightly: Json = {"schedule": "0 3 * * *", "jobTemplate": job, "suspend": True}
    return [
        named("nightly", spec=nightly),
        named(
            "zoned",
            spec={**nightly, "timeZone": "Europe/Berlin", "suspend": False},
            status={**running, "lastScheduleTime": clock.ago(50_000)},
        ),
    ]


def budgets(clock: Clock) -> list[Json]:
    del clock
    counts = {"currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}
    selector = {"selector": {"matchLabels": {"nothing": "matches"}}}
    return [
        named("least", spec={**selector, "minAvailable": 2}, status={**counts, "disruptionsAllowed": 1}),
        named("most", spec={**selector, "maxUnavailable": "25%"}, status={**counts, "disruptionsAllowed": 0}),
        named("neither", spec=selector, status={**counts, "disruptionsAllowed": 0}),
    ]


def nodes() -> list[Json]:
    system = {
        "kubeletVersion": "v1.37.2",
        "osImage": "Linux 6",
        "kernelVersion": "6.1.0",
        "containerRuntimeVersion": "containerd://2.0.0",
        "architecture": "arm64",
    }
    whole_system = {
        **dict.fromkeys(("machineID", "systemUUID", "bootID", "kubeProxyVersion", "operatingSystem"), ""),
        **system,
    }
    addresses = [
        {"type": "Hostname", "address": "n1"},
        {"type": "InternalIP", "address": "10.1.0.1"},
        {"type": "InternalIP", "address": "10.1.0.2"},
        {"type": "ExternalIP", "address": "192.0.2.7"},
    ]
    roles = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/control-plane": "x",
        "kubernetes.io/role": "gpu",
    }
    return [
        named("full", status={"conditions": [condition("Ready")], "nodeInfo": whole_system, "addresses": addresses}),
        named("bare"),
        named("down", status={"conditions": [condition("Ready", "Unknown")]}),
        named("broken", status={"conditions": [condition("MemoryPressure"), condition("Ready", "False")]}),
        named("drained", spec={"unschedulable": True}, status={"conditions": [condition("Ready")]}),
        named("roles", metadata={"labels": roles}, spec={"unschedulable": True}),
    ]


SPANS = (
    0, 1, 59, 119, 120, 121, 150, 180, 599, 600, 630, 3600, 7200, 10_799, 10_800, 10_860, 18_600, 28_799, 28_800,
    30_000, 86_400, 172_799, 172_800, 176_400, 180_000, 604_800, 691_199, 691_200, 2_600_000, 31_536_000, 63_071_999,
    63_072_000, 63_158_400, 94_608_000, 94_700_000, 252_287_999, 252_288_000, 400_000_000, -1, -60,
)  # fmt: skip
"""Ages in seconds, at and around each step of how ages are written; the last two lie in the future."""


def events(clock: Clock, namespace: str) -> list[Json]:
    about = {"kind": "Pod", "name": "web-1", "namespace": namespace, "fieldPath": "spec.containers{c0}"}
    old = {"type": "Warning", "reason": "BackOff", "message": "  Back-off \n", "involvedObject": about}
    new = {
        **old,
        "action": "Binding",
        "eventTime": clock.micro_ago(400),
        "reportingComponent": "default-scheduler",
        "reportingInstance": "default-scheduler-1",
    }
    source = {"source": {"component": "kubelet", "host": "node-1"}}
    series = {"count": 8, "lastObservedTime": clock.micro_ago(70)}
    nameless = {"kind": "Node", "namespace": namespace}
    return [
        *(
            named(f"span-{seconds}", **old, firstTimestamp=clock.ago(seconds), lastTimestamp=clock.ago(seconds / 2))
            for seconds in SPANS
        ),
        named("counted", **old, **source, count=4, firstTimestamp=clock.ago(500), lastTimestamp=clock.ago(5)),
        named("once", **old, source={"component": "kubelet"}, firstTimestamp=clock.ago(500)),
        named("undated", **old),
        named("new", **new),
        named("series", **new, series=series),
        named("both-sources", **new, **source, lastTimestamp=clock.ago(3)),
        named("nameless", type="Normal", reason="Started", message="", involvedObject=nameless),
    ]


def services(clock: Clock) -> list[Json]:
    del clock
    ports = [{"name": "web", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    ingress = [
        {"ip": "192.0.2.9", "ipMode": "VIP"},
        {"ip": "192.0.2.10", "ipMode": "VIP"},
        {"hostname": "lb.example.com"},
    ]
    balanced = {"loadBalancer": {"ingress": ingress}}
    outside: Json = {"externalIPs": ["192.0.2.1", "192.0.2.2"]}

    def service(name: str, kind: str, status: Json | None = None, **spec: Any) -> Json:
        return named(name, spec={"type": kind, "ports": ports, "selector": WEB, **spec}, status=status or {})

    return [
        service("plain", "ClusterIP"),
        service("outside", "ClusterIP", **outside),
        service("headless", "ClusterIP", clusterIP="None", ports=[], selector=None),
        service("ports", "NodePort"),
        service("ports-outside", "NodePort", **outside),
        service("pending", "LoadBalancer"),
        service("balanced", "LoadBalancer", balanced),
        service("balanced-outside", "LoadBalancer", balanced, **outside),
        service("elsewhere", "ExternalName", externalName="web.example.com", ports=[]),
    ]


def quotas(clock: Clock) -> list[Json]:
    del clock
    hard = {
        "pods": "10",
        "requests.cpu": "4",
        "limits.cpu": "8000m",
        "limits.memory": "1024Mi",
        "count/deployments.apps": "3",
        "requests.nvidia.com/gpu": "2",
    }
    used = {"pods": "3", "requests.cpu": "1500m", "limits.memory": "512Mi"}
    spec = {"hard": {"pods": "1000"}}
    return [named("used", spec=spec, status={"hard": hard, "used": used}), named("fresh", spec=spec)]


def bindings(role: str) -> list[Json]:
    group = "rbac.authorization.k8s.io"
    subjects = [
        {"kind": "User", "name": "ann", "apiGroup": group},
        {"kind": "ServiceAccount", "name": "default", "namespace": "prod"},
        {"kind": "User", "name": "bob", "apiGroup": group},
        {"kind": "Group", "name": "ops", "apiGroup": group},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "build"},
    ]
    reference = {"apiGroup": group, "kind": role, "name": "reader"}
    return [named("all", roleRef=reference, subjects=subjects), named("nobody", roleRef=reference)]


def configmaps() -> list[Json]:
    return [
        named("empty"),
        named("both", data={"a": "1", "b": "2"}, binaryData={"c": "AAEC"}),
    ]


BY_RESOURCE: dict[str, Callable[[Clock], list[Json]]] = {
    "deployments.apps": deployments,
    "replicasets.apps": replicasets,
    "replicationcontrollers": replicationcontrollers,
    "statefulsets.apps": statefulsets,
    "daemonsets.apps": daemonsets,
    "jobs.batch": jobs,
    "cronjobs.batch": cronjobs,
    "poddisruptionbudgets.policy": budgets,
    "services": services,
    "resourcequotas": quotas,
}
"""What is created and then has a status tried on it."""
