"""Why a pod does not work, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.pods import (
    Trouble,
    group_troubles,
    is_ready,
    is_terminating,
    oom_restarts,
    pod_trouble,
    short_age,
    short_resources,
    summarise,
    timestamp,
)

Json = dict[str, Any]
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def ago(**age: float) -> str:
    return (NOW - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(phase: str = "Running", *, conditions: list[Json] | None = None, **parts: Any) -> Json:
    """A pod of one container ``server``, an hour old; ``state`` and so on are that container's status."""
    status: Json = {"phase": phase, "conditions": conditions or []}
    container = {
        key: parts.pop(key)
        for key in ("state", "lastState", "restartCount", "ready", "image", "started")
        if key in parts
    }
    if container:
        status["containerStatuses"] = [{"name": "server", "image": "model:1", **container}]
    init = parts.pop("init", None)
    if init:
        status["initContainerStatuses"] = [{"name": "migrate", **init}]
    spec = {
        "containers": [{"name": "server", "image": "model:1", **parts.pop("container", {})}],
        **parts.pop("spec", {}),
    }
    metadata = {"name": "web-1", "creationTimestamp": ago(hours=1), **parts.pop("metadata", {})}
    return {"metadata": metadata, "spec": spec, "status": {**status, **parts}}


def waiting(reason: str, message: str = "") -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error", **more: Any) -> Json:
    return {"terminated": {"exitCode": code, "reason": reason, **more}}


READY = {"type": "Ready", "status": "True", "lastTransitionTime": ago(minutes=50)}
UNREADY = {"type": "Ready", "status": "False", "lastTransitionTime": ago(minutes=3)}
NO_FIT = "0/7 nodes are available: 2 node(s) had untolerated taint(s), 5 Insufficient nvidia.com/gpu"
NO_GPU = f"{NO_FIT}. preemption: 0/7 nodes are available: 7 Preemption is not helpful for scheduling."
NO_MATCH = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector"
RUNNING: Json = {"conditions": [READY], "state": {"running": {}}, "ready": True}
OOM: Json = {"lastState": ended(137, "OOMKilled", finishedAt=ago(minutes=5)), "restartCount": 3}
OLD_OOM: Json = {"lastState": ended(137, "OOMKilled", finishedAt=ago(hours=25)), "restartCount": 3}
PROBED: Json = {"readinessProbe": {"httpGet": {}}}
GATED: Json = {"schedulingGates": [{"name": "example.com/quota"}]}
BACK_OFF = waiting("ImagePullBackOff", 'Back-off pulling image "model:9"')


def unscheduled(message: str, reason: str = "Unschedulable") -> Json:
    return {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}


TROUBLES = [
    pytest.param(
        pod("Pending", conditions=[unscheduled(NO_GPU)]),
        "Unschedulable",
        f"nvidia.com/gpu is short ({NO_FIT})",
        id="a GPU is short",
    ),
    pytest.param(
        pod("Pending", conditions=[unscheduled("0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.")]),
        "Unschedulable",
        "cpu and memory are short (0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory)",
        id="two resources are short",
    ),
    pytest.param(
        pod("Pending", conditions=[unscheduled(f"{NO_MATCH}.")]),
        "Unschedulable",
        f"no node fits ({NO_MATCH})",
        id="a selector matches no node",
    ),
    pytest.param(
        pod("Pending", conditions=[unscheduled('persistentvolumeclaim "data" not found')]),
        "Unschedulable",
        'persistentvolumeclaim "data" not found',
        id="a volume claim is missing",
    ),
    pytest.param(
        pod("Pending", conditions=[unscheduled("", "SchedulingGated")], spec=GATED),
        "SchedulingGated",
        "held back until its scheduling gates are removed: example.com/quota",
        id="gated",
    ),
    pytest.param(
        pod("Pending", spec={"schedulerName": "gpu-scheduler"}),
        "Pending",
        "scheduler gpu-scheduler has not looked at it for 60m; check that it runs",
        id="its scheduler does not run",
    ),
    pytest.param(
        pod("Pending", state=BACK_OFF, image="", container={"image": "model:9"}),
        "ImagePullBackOff",
        'image "model:9" of container server cannot be pulled',
        id="image back-off",
    ),
    pytest.param(
        pod("Pending", state=waiting("ErrImagePull", "manifest unknown"), image="model:9"),
        "ErrImagePull",
        'image "model:9" of container server cannot be pulled: manifest unknown',
        id="image error",
    ),
    pytest.param(
        pod("Pending", state=waiting("InvalidImageName", "couldn't parse image"), image="Model::"),
        "InvalidImageName",
        'image "Model::" of container server is no valid name of an image',
        id="image name",
    ),
    pytest.param(
        pod("Pending", state=waiting("CreateContainerConfigError", 'secret "key" not found')),
        "CreateContainerConfigError",
        'container server cannot be created: secret "key" not found',
        id="configuration",
    ),
    pytest.param(
        pod(state=waiting("CrashLoopBackOff"), lastState=ended(3), restartCount=5),
        "CrashLoopBackOff",
        "container server ended with exit code 3, 5 restarts",
        id="crash loop",
    ),
    pytest.param(
        pod(
            state=waiting("CrashLoopBackOff"),
            lastState=ended(137, "OOMKilled"),
            restartCount=2,
            container={"resources": {"limits": {"memory": "512Mi"}}},
        ),
        "CrashLoopBackOff",
        "container server was killed for memory (limit 512Mi), 2 restarts",
        id="crash loop by memory",
    ),
    pytest.param(
        pod(state=ended(1), restartCount=1),
        "Error",
        "container server ended with exit code 1, 1 restart",
        id="just ended",
    ),
    pytest.param(
        pod("Pending", init={"state": waiting("CrashLoopBackOff"), "lastState": ended(2), "restartCount": 4}),
        "CrashLoopBackOff",
        "init container migrate ended with exit code 2, 4 restarts",
        id="an init container fails",
    ),
    pytest.param(
        pod(**RUNNING, **OOM),
        "OOMKilled",
        "container server was killed for memory (no limit of its own), 3 restarts, the last 5m ago",
        id="killed for memory, running again",
    ),
    pytest.param(
        pod("Pending", state=waiting("ContainerCreating"), spec={"nodeName": "n1"}),
        "ContainerCreating",
        "container server has not started for 60m on node n1; the pod's events say why",
        id="a start that takes long",
    ),
    pytest.param(
        pod("Failed", reason="Evicted", message="The node was low on resource: memory. "),
        "Evicted",
        "The node was low on resource: memory",
        id="evicted",
    ),
    pytest.param(
        pod("Failed", state=ended(2)), "Failed", "container server ended with exit code 2", id="failed"
    ),
    pytest.param(pod("Failed"), "Failed", "the pod has failed", id="failed without a word"),
    pytest.param(
        pod(conditions=[UNREADY], state={"running": {}}, ready=False, container=PROBED),
        "NotReady",
        "container server is running but not Ready for 3m: its readiness probe fails",
        id="readiness probe",
    ),
    pytest.param(
        pod(conditions=[UNREADY], state={"running": {}}, ready=False, started=False),
        "NotReady",
        "container server is running but not Ready for 3m: its startup probe has not succeeded",
        id="startup probe",
    ),
    pytest.param(
        pod(conditions=[{**UNREADY, "reason": "ReadinessGatesNotReady"}], state={"running": {}}, ready=True),
        "NotReady",
        "running but not Ready for 3m: ReadinessGatesNotReady",
        id="readiness gate",
    ),
    pytest.param(
        pod(metadata={"deletionTimestamp": ago(minutes=5)}, spec={"nodeName": "n1"}),
        "Terminating",
        "still there 5m after its grace period; node n1 has not reported its end",
        id="a node does not answer",
    ),
    pytest.param(
        pod(metadata={"deletionTimestamp": ago(minutes=5), "finalizers": ["example.com/drain"]}),
        "Terminating",
        "still there 5m after its grace period; finalizers hold it: example.com/drain",
        id="a finalizer holds it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given_pod", "reason", "message"), TROUBLES)
def test_each_trouble_is_named_with_what_causes_it(given_pod: Json, reason: str, message: str) -> None:
    trouble = pod_trouble(given_pod, NOW)
    assert trouble is not None
    assert (trouble.reason, trouble.message) == (reason, message)


HEALTHY = [
    pytest.param(pod(**RUNNING), id="Ready"),
    pytest.param(pod("Succeeded", state=ended(0, "Completed")), id="completed"),
    pytest.param(pod("Pending", metadata={"creationTimestamp": ago(seconds=5)}), id="created 5 s ago"),
    pytest.param(
        pod("Pending", state=waiting("ContainerCreating"), metadata={"creationTimestamp": ago(seconds=90)}),
        id="starting for 90 s",
    ),
    pytest.param(
        pod(conditions=[{**UNREADY, "lastTransitionTime": ago(seconds=29)}], state={"running": {}}, ready=False),
        id="not Ready for 29 s",
    ),
    pytest.param(pod(metadata={"deletionTimestamp": ago(seconds=-20)}), id="20 s of grace left"),
    pytest.param(
        pod(**RUNNING, **OLD_OOM),
        id="killed for memory 25 h ago",
    ),
    pytest.param(
        pod(**RUNNING, init={"state": ended(0, "Completed")}),
        id="init container completed",
    ),
    pytest.param({}, id="nothing known"),
]  # fmt: skip


@pytest.mark.parametrize("given_pod", HEALTHY)
def test_a_pod_that_works_or_is_only_starting_or_ending_is_in_no_trouble(given_pod: Json) -> None:
    """Otherwise every rollout would be reported as trouble for the seconds that it takes."""
    assert pod_trouble(given_pod, NOW) is None


def test_how_long_a_pod_may_be_unready_is_the_callers_choice() -> None:
    unready = pod(conditions=[{**UNREADY, "lastTransitionTime": ago(seconds=5)}], state={"running": {}}, ready=False)
    trouble = pod_trouble(unready, NOW, not_ready_after=timedelta(0))
    assert trouble == Trouble("NotReady", "container server is running but not Ready for 5s", "container server")


def test_readiness_and_termination_are_read_from_condition_and_metadata() -> None:
    assert is_ready(pod(conditions=[READY]))
    assert not is_ready(pod(conditions=[{**READY, "status": "Unknown"}]))
    assert not is_ready({})
    assert is_terminating(pod(metadata={"deletionTimestamp": ago(seconds=1)}))
    assert not is_terminating(pod())


def test_restarts_by_memory_are_those_of_containers_whose_last_end_was_one() -> None:
    assert oom_restarts(pod(lastState=ended(137, "OOMKilled"), restartCount=3)) == 3
    assert oom_restarts(pod(lastState=ended(137, "Error"), restartCount=3)) == 0


def test_equal_troubles_are_one_line_that_names_the_first_pods() -> None:
    short = pod_trouble(pod("Pending", conditions=[unscheduled(NO_GPU)]), NOW)
    crashed = pod_trouble(pod(state=waiting("CrashLoopBackOff"), lastState=ended(3), restartCount=5), NOW)
    again = pod_trouble(pod(state=waiting("CrashLoopBackOff"), lastState=ended(3), restartCount=6), NOW)
    assert short
    assert crashed
    assert again
    named = [("gpu-1", short), ("web-1", crashed), *[(f"gpu-{n}", short) for n in (2, 3, 4, 5)], ("web-2", again)]
    assert summarise(named) == [
        f"5 pods Unschedulable: nvidia.com/gpu is short ({NO_FIT}): gpu-1, gpu-2, gpu-3 and 2 more",
        "2 pods CrashLoopBackOff: container server ended with exit code 3, 5 restarts: web-1, web-2",
    ]
    assert summarise([("web-1", crashed)]) == [
        "pod web-1 CrashLoopBackOff: container server ended with exit code 3, 5 restarts"
    ]


def test_different_causes_of_one_reason_stay_apart() -> None:
    cpu = pod_trouble(pod("Pending", conditions=[unscheduled("0/1 nodes are available: 1 Insufficient cpu.")]), NOW)
    gpu = pod_trouble(pod("Pending", conditions=[unscheduled(NO_GPU)]), NOW)
    assert cpu
    assert gpu
    assert [group.pods for group in group_troubles([("a", cpu), ("b", gpu), ("c", cpu)])] == [("a", "c"), ("b",)]


def test_text_of_the_cluster_cannot_steer_the_terminal() -> None:
    evil = pod_trouble(pod("Failed", reason="\x1b[2J", message="a\x1b[31m\nb"), NOW)
    assert evil == Trouble("\\x1b[2J", "a\\x1b[31m b")
    assert "\x1b" not in summarise([("p\x1b", evil)])[0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_799, "47h"), (172_800, "2d")],
)  # fmt: skip
def test_ages_are_cut_to_one_unit(seconds: int, text: str) -> None:
    assert short_age(timedelta(seconds=seconds)) == text


def test_a_time_that_is_none_is_none() -> None:
    assert timestamp("2026-11-24T12:00:00Z") == NOW
    assert timestamp(None) is None
    assert timestamp("soon") is None


states = st.sampled_from(
    [{"running": {}}, waiting("CrashLoopBackOff"), waiting("PodInitializing"), ended(0), ended(1), {}]
)


@given(
    st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown", None]),
    st.lists(st.sampled_from([READY, UNREADY, unscheduled(NO_GPU), {}]), max_size=3),
    states,
    states,
    st.sampled_from([None, ago(days=1), ago(days=-1)]),
)
def test_every_trouble_has_a_reason_without_spaces_and_a_sentence_on_one_line(
    phase: str | None, conditions: list[Json], state: Json, last: Json, deleted: str | None
) -> None:
    metadata = {"deletionTimestamp": deleted} if deleted else {}
    made = pod(phase or "", conditions=conditions, state=state, lastState=last, metadata=metadata)
    trouble = pod_trouble(made, NOW)
    assert trouble is None or (" " not in trouble.reason and trouble.message and "\n" not in trouble.message)


@given(st.lists(st.sampled_from(["cpu", "memory", "nvidia.com/gpu", "amd.com/gpu"]), unique=True, min_size=1))
def test_the_resources_that_are_short_are_read_from_the_schedulers_sentence(names: list[str]) -> None:
    parts = ", ".join(f"{number} Insufficient {name}" for number, name in enumerate(names, 1))
    assert short_resources(f"0/9 nodes are available: {parts}. preemption: 0/9 nodes are available.") == names
