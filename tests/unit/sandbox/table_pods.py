"""Pods in many states, for comparing their rows with those of a real API server.

Each is a pod as it is created; its ``status`` is what is written to its status subresource after that.
"""

from __future__ import annotations

from typing import Any

from tests.unit.sandbox.table_objects import Clock, condition, named

Json = dict[str, Any]

RUNNING: Json = {"running": {}}


def waiting(reason: str | None = None) -> Json:
    return {"waiting": {"reason": reason} if reason else {}}


def ended(code: int, reason: str = "", **more: Any) -> Json:
    return {"terminated": {"exitCode": code, **({"reason": reason} if reason else {}), **more}}


def container(name: str, state: Json, *, ready: bool = False, restarts: int = 0, **more: Any) -> Json:
    common = {"image": "model:1", "imageID": "", "containerID": ""}
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, **common, **more}


def pod(name: str, status: Json, *, containers: int = 1, init: list[Json] | None = None, **parts: Any) -> Json:
    """A pod that no scheduler takes; its containers are c0, c1 … and i0, i1 …, ``init`` what is special of each."""
    spec: Json = {
        "schedulerName": "none",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
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
    crashed: Json = {"lastState": ended(1, "Error", finishedAt=clock.ago(300))}
    oom: Json = {"lastState": ended(137, "OOMKilled", finishedAt=clock.ago(12_345))}
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
    older: Json = {"lastState": ended(1, finishedAt=clock.ago(90_000))}
    newer: Json = {"lastState": ended(1, finishedAt=clock.ago(95))}
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
    crashed: Json = {"lastState": ended(1, "Error", finishedAt=clock.ago(250))}
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
    restarted: Json = {"lastState": ended(1, finishedAt=clock.ago(700))}
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
