"""Objects in many states, for comparing their rows with those of a real API server.

Each is an object as it is created; its ``status`` is what is written to its status subresource after that.
Times are written relative to the moment at which the module's functions are called with.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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


# --- pods ---------------------------------------------------------------------------------------------------------

RUNNING: Json = {"running": {}}


def waiting(reason: str | None = None) -> Json:
    return {"waiting": {"reason": reason} if reason else {}}


def ended(code: int, reason: str = "", **more: Any) -> Json:
    return {"terminated": {"exitCode": code, **({"reason": reason} if reason else {}), **more}}


def container(name: str, state: Json, *, ready: bool = False, restarts: int = 0, **more: Any) -> Json:
    common = {"image": "model:1", "imageID": "", "containerID": ""}
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, **common, **more}


def condition(kind: str, status: str = "True", **more: str) -> Json:
    return {"type": kind, "status": status, **more}


def pod(name: str, status: Json, *, containers: int = 1, init: list[Json] | None = None, **parts: Any) -> Json:
    """A pod that no scheduler takes; its containers are c0, c1 … and i0, i1 …, ``init`` what is special of each."""
    spec: Json = {
        "schedulerName": "none",
        "automountServiceAccountToken": False,
        "containers": [{"name": f"c{index}", "image": "model:1"} for index in range(containers)],
        **parts.pop("spec", {}),
    }
    if init:
        spec["initContainers"] = [{"name": f"i{index}", "image": "model:1", **one} for index, one in enumerate(init)]
    return named(name, spec=spec, status={"phase": "Running", **status}, **parts)


SIDECAR = {"restartPolicy": "Always"}
KEPT = {"finalizers": ["example.com/kept"]}
INITIALIZED = condition("Initialized")
READY = condition("Ready")


def pods(clock: Clock) -> list[Json]:
    return [
        *_plain_pods(clock),
        *_pods_of_several(clock),
        *_init_pods(clock),
        *_sidecar_pods(clock),
        *_wide_pods(),
    ]


def deleted_pods() -> list[Json]:
    """Pods that are told to end and may not go yet."""
    alone = {"containerStatuses": [container("c0", RUNNING, ready=True)]}
    return [
        pod("gone-running", alone, metadata=KEPT),
        pod("gone-pending", {"phase": "Pending"}, metadata=KEPT),
        pod("gone-node-lost", {**alone, "reason": "NodeLost"}, metadata=KEPT),
        pod("gone-succeeded", {"phase": "Succeeded"}, metadata=KEPT),
        pod(
            "gone-failed",
            {"phase": "Failed", "containerStatuses": [container("c0", ended(137, "OOMKilled"))]},
            metadata=KEPT,
        ),
    ]


def _plain_pods(clock: Clock) -> list[Json]:
    crashed = {"lastState": ended(1, "Error", finishedAt=clock.ago(300))}
    oom = {"lastState": ended(137, "OOMKilled", finishedAt=clock.ago(12_345))}
    states: list[tuple[str, str, Json]] = [
        ("running", "Running", container("c0", RUNNING, ready=True)),
        ("not-ready", "Running", container("c0", RUNNING)),
        ("ready-waiting", "Running", container("c0", waiting(), ready=True)),
        ("crash", "Running", container("c0", waiting("CrashLoopBackOff"), restarts=5, **crashed)),
        ("pull", "Pending", container("c0", waiting("ErrImagePull"))),
        ("pull-back-off", "Pending", container("c0", waiting("ImagePullBackOff"))),
        ("creating", "Pending", container("c0", waiting("ContainerCreating"))),
        ("config-error", "Pending", container("c0", waiting("CreateContainerConfigError"))),
        ("oom", "Running", container("c0", ended(137, "OOMKilled"), restarts=2, **oom)),
        ("restarted", "Running", container("c0", RUNNING, ready=True, restarts=1, **oom)),
        ("restarts-undated", "Running", container("c0", RUNNING, ready=True, restarts=7)),
        ("ended-undated", "Running", container("c0", RUNNING, ready=True, restarts=7, lastState=ended(1))),
        ("no-restart", "Running", container("c0", RUNNING, ready=True, **oom)),
        ("completed", "Succeeded", container("c0", ended(0, "Completed"))),
        ("completed-running", "Running", container("c0", ended(0, "Completed"))),
        ("error", "Failed", container("c0", ended(1, "Error"))),
        ("exit-code", "Failed", container("c0", ended(3))),
        ("exit-zero", "Succeeded", container("c0", ended(0))),
        ("signal", "Failed", container("c0", ended(0, signal=9))),
    ]
    gated = [condition("PodScheduled", "False", reason="SchedulingGated")]
    unschedulable = [condition("PodScheduled", "False", reason="Unschedulable")]
    return [
        *(pod(name, {"phase": phase, "containerStatuses": [one]}) for name, phase, one in states),
        pod("pending", {"phase": "Pending", "conditions": unschedulable}),
        pod("gated", {"phase": "Pending", "conditions": gated}),
        pod("evicted", {"phase": "Failed", "reason": "Evicted"}),
        pod("unknown", {"phase": "Unknown"}),
        pod("node-lost", {"reason": "NodeLost"}),
    ]


def _pods_of_several(clock: Clock) -> list[Json]:
    done, failed = container("c0", ended(0, "Completed")), container("c1", ended(1, "Error"))
    runs = container("c1", RUNNING, ready=True)
    older = {"lastState": ended(1, finishedAt=clock.ago(90_000))}
    newer = {"lastState": ended(1, finishedAt=clock.ago(95))}
    cases: list[tuple[str, Json, list[Json]]] = [
        ("one-of-two", {}, [container("c0", RUNNING), runs]),
        ("one-done", {"conditions": [READY]}, [done, runs]),
        ("one-done-not-ready", {"conditions": [condition("Ready", "False")]}, [done, runs]),
        ("one-done-one-failed", {"phase": "Failed"}, [done, failed]),
        ("first-says", {}, [container("c0", waiting("CrashLoopBackOff")), container("c1", ended(1, "Error"))]),
        ("second-says", {}, [container("c0", RUNNING, ready=True), container("c1", waiting("ImagePullBackOff"))]),
        ("restarts-add-up", {}, [container("c0", RUNNING, restarts=2, **older), {**runs, "restartCount": 3, **newer}]),
    ]
    return [pod(name, {**status, "containerStatuses": both}, containers=2) for name, status, both in cases]


def _init_pods(clock: Clock) -> list[Json]:
    done = container("i0", ended(0, "Completed"))
    crashed = {"lastState": ended(1, "Error", finishedAt=clock.ago(250))}
    main = [container("c0", waiting("PodInitializing"))]
    cases: list[tuple[str, list[Json]]] = [
        ("init-0", [container("i0", RUNNING), container("i1", waiting("PodInitializing"))]),
        ("init-1", [done, container("i1", RUNNING)]),
        ("init-waits", [container("i0", waiting("PodInitializing"))]),
        ("init-unreasoned", [container("i0", waiting())]),
        ("init-crash", [container("i0", waiting("CrashLoopBackOff"), restarts=4, **crashed)]),
        ("init-pull", [done, container("i1", waiting("ImagePullBackOff"))]),
        ("init-error", [container("i0", ended(1, "Error"))]),
        ("init-exit-code", [container("i0", ended(5))]),
        ("init-signal", [container("i0", ended(1, signal=15))]),
        ("init-done", [done, container("i1", ended(0, "Completed"), restarts=3, **crashed)]),
        ("init-restarts-ended", [{**done, "restartCount": 2, **crashed}, container("i1", RUNNING, restarts=1)]),
    ]
    inits: list[Json] = [{}, {}]
    initialized = {"conditions": [INITIALIZED], "containerStatuses": [container("c0", RUNNING, ready=True)]}
    return [
        *(
            pod(name, {"phase": "Pending", "initContainerStatuses": ones, "containerStatuses": main}, init=inits)
            for name, ones in cases
        ),
        pod("init-again", {**initialized, "initContainerStatuses": [container("i0", RUNNING)]}, init=inits),
        pod(
            "init-again-quiet",
            {"conditions": [INITIALIZED], "initContainerStatuses": [container("i0", RUNNING)]},
            init=inits,
        ),
    ]


def _sidecar_pods(clock: Clock) -> list[Json]:
    restarted = {"lastState": ended(1, finishedAt=clock.ago(700))}
    main = {"containerStatuses": [container("c0", RUNNING, ready=True)]}
    up = container("i0", RUNNING, ready=True, started=True, restarts=2, **restarted)
    cases: list[tuple[str, Json, list[Json]]] = [
        ("sidecar-up", main, [up]),
        ("sidecar-not-ready", main, [{**up, "ready": False}]),
        ("sidecar-starts", {}, [{**up, "ready": False, "started": False}]),
        ("sidecar-crash", {}, [container("i0", waiting("CrashLoopBackOff"), restarts=3, started=False)]),
        ("sidecar-ended", main, [container("i0", ended(0, "Completed"), restarts=3, started=False)]),
        ("sidecar-then-init", {}, [up, container("i1", RUNNING, restarts=4)]),
        ("sidecar-and-init-done", main, [up, container("i1", ended(0, "Completed"), restarts=4)]),
    ]
    inits: list[Json] = [SIDECAR, {}]
    return [pod(name, {**status, "initContainerStatuses": ones}, init=inits) for name, status, ones in cases]


def _wide_pods() -> list[Json]:
    gates = {"readinessGates": [{"conditionType": "example.com/a"}, {"conditionType": "example.com/b"}]}
    addresses = {"podIP": "10.0.1.2", "podIPs": [{"ip": "10.0.1.2"}, {"ip": "fd00::2"}]}
    passed = [condition("example.com/a"), condition("example.com/b", "False")]
    return [
        pod("addressed", addresses, spec={"nodeName": "absent"}),
        pod("nominated", {"phase": "Pending", "nominatedNodeName": "node-7"}),
        pod("gates", {"conditions": passed}, spec=gates),
        pod("gates-unreported", {}, spec=gates),
    ]


# --- workloads ----------------------------------------------------------------------------------------------------


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


# --- autoscalers --------------------------------------------------------------------------------------------------


def metric(kind: str, target: Json | None = None, current: Json | None = None, name: str = "cpu") -> Json:
    """A metric's spec, or with ``current`` its status."""
    values = {"current": current} if current is not None else {"target": target}
    key = kind[:1].lower() + kind[1:]
    what: Json = {"name": name} if kind.endswith("Resource") else {"metric": {"name": "queue"}}
    if kind == "ContainerResource":
        what["container"] = "c0"
    if kind == "Object":
        what["describedObject"] = {"kind": "Service", "name": "web", "apiVersion": "v1"}
    return {"type": kind, key: {**what, **values}}


UTILIZATION = {"type": "Utilization", "averageUtilization": 80}
AVERAGE = {"type": "AverageValue", "averageValue": "1500m"}
VALUE = {"type": "Value", "value": "10k"}


def autoscalers(clock: Clock) -> list[Json]:
    del clock
    memory = {"type": "AverageValue", "averageValue": "1Gi"}
    cases: list[tuple[str, list[tuple[str, Json, Json | None]]]] = [
        ("percent", [("Resource", UTILIZATION, {"averageUtilization": 50, "averageValue": "250m"})]),
        ("percent-unknown", [("Resource", UTILIZATION, None)]),
        ("percent-by-value", [("Resource", UTILIZATION, {"averageValue": "250m"})]),
        ("average", [("Resource", memory, {"averageValue": "314572800"})]),
        ("average-unknown", [("Resource", memory, None)]),
        ("container", [("ContainerResource", UTILIZATION, {"averageUtilization": 7, "averageValue": "1m"})]),
        ("container-unknown", [("ContainerResource", UTILIZATION, None)]),
        ("container-average", [("ContainerResource", AVERAGE, {"averageValue": "900m"})]),
        ("container-average-unknown", [("ContainerResource", AVERAGE, None)]),
        ("pods", [("Pods", AVERAGE, {"averageValue": "1234567u"})]),
        ("pods-unknown", [("Pods", AVERAGE, None)]),
        ("object", [("Object", VALUE, {"value": "9999"})]),
        ("object-unknown", [("Object", VALUE, None)]),
        ("object-average", [("Object", AVERAGE, {"averageValue": "2", "value": "0"})]),
        ("object-average-unknown", [("Object", AVERAGE, {"value": "4"})]),
        ("external", [("External", VALUE, {"value": "12500"})]),
        ("external-unknown", [("External", VALUE, None)]),
        ("external-average", [("External", AVERAGE, {"averageValue": "1700m"})]),
        ("external-average-unknown", [("External", AVERAGE, None)]),
        ("two", [("Resource", UTILIZATION, {"averageUtilization": 0}), ("External", VALUE, {"value": "1"})]),
        ("three", [("Resource", UTILIZATION, None), ("Pods", AVERAGE, None), ("External", VALUE, None)]),
        (
            "four",
            [("External", VALUE, None), ("Pods", AVERAGE, None), ("Object", VALUE, None), ("Object", AVERAGE, None)],
        ),
    ]
    return [*(autoscaler(name, metrics) for name, metrics in cases), *_odd_autoscalers()]


def autoscaler(name: str, metrics: list[tuple[str, Json, Json | None]], **spec: Any) -> Json:
    """An HPA of ``metrics``: the type, the target and what is reported, which ends at the first that is not."""
    reported: list[Json] = []
    for kind, _, current in metrics:
        if current is None:
            break
        reported.append(metric(kind, current=current))
    return named(
        name,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"},
            "minReplicas": 2,
            "maxReplicas": 12,
            "metrics": [metric(kind, target) for kind, target, _ in metrics],
            **spec,
        },
        status={"currentReplicas": 3, "desiredReplicas": 4, "currentMetrics": reported, "conditions": []},
    )


def _odd_autoscalers() -> list[Json]:
    """Reports of another type than the spec, or of none; nothing said about the least number."""
    swapped = autoscaler("swapped", [("Resource", UTILIZATION, None), ("Pods", AVERAGE, None)])
    reports = [metric("Pods", current={"averageValue": "1"}), metric("Resource", current={"averageUtilization": 5})]
    swapped["status"]["currentMetrics"] = reports
    blank = autoscaler("blank", [("External", VALUE, None)])
    blank["status"]["currentMetrics"] = [{"type": ""}]
    least = autoscaler("least-unset", [("Resource", UTILIZATION, None)], minReplicas=None)
    unable = autoscaler("unable", [("Resource", UTILIZATION, None)])
    unable["status"]["conditions"] = [condition("AbleToScale", "False", reason="FailedGetScale")]
    return [swapped, blank, least, unable, autoscaler("metrics-unset", [])]


# --- what stands around the workloads --------------------------------------------------------------------------------


def nodes(clock: Clock) -> list[Json]:
    del clock
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
        "node-role.kubernetes.io/": "",
        "kubernetes.io/role": "gpu",
    }
    return [
        named("full", status={"conditions": [READY], "nodeInfo": whole_system, "addresses": addresses}),
        named("bare"),
        named("down", status={"conditions": [condition("Ready", "Unknown")]}),
        named("broken", status={"conditions": [condition("MemoryPressure"), condition("Ready", "False")]}),
        named("drained", spec={"unschedulable": True}, status={"conditions": [READY]}),
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
    outside = {"externalIPs": ["192.0.2.1", "192.0.2.2"]}

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
        "limits": "1",
    }
    hard.pop("limits")
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


def configmaps(clock: Clock) -> list[Json]:
    del clock
    return [
        named("empty"),
        named("both", data={"a": "1", "b": "2"}, binaryData={"c": "AAEC"}),
    ]
