"""The verb over several targets: what is sent, in which order, and what becomes of errors."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import NotFoundError, RefusedError, UsageError
from mlscale.kube.kinds import DAEMONSET, STATEFULSET
from tests.unit.autoscale.flow_server import (
    HPAS,
    LAB,
    METRICS,
    Server,
    found,
    settings,
    workload,
)


def test_creates() -> None:
    server = Server("web")
    (outcome,) = server.run(found("web"))
    assert (outcome.action, outcome.error, outcome.printed) == (
        "created",
        None,
        "horizontalpodautoscaler.autoscaling/web",
    )
    ((path, body, force, dry_run),) = server.applied
    assert path == f"{HPAS}/web"
    assert body["spec"]["maxReplicas"] == 5
    assert (force, dry_run) == (False, False)
    assert f"{LAB}/deployments/web" not in server.asked  # it was read when it was found


def test_the_same_again_is_unchanged() -> None:
    server = Server("web")
    server.lists[HPAS] = [server.run(found("web"))[0].hpa or {}]
    (outcome,) = server.run(found("web"))
    assert (outcome.action, outcome.changes) == ("unchanged", ())


def test_another_line_configures() -> None:
    server = Server("web")
    server.lists[HPAS] = [server.run(found("web"))[0].hpa or {}]
    (outcome,) = server.run(found("web"), settings=settings(max="6"))
    assert (outcome.action, outcome.changes) == ("configured", ("maxReplicas: 5 -> 6",))


@pytest.mark.parametrize("dry_run", ["client", "server"])
def test_a_dry_run_says_the_same_and_stores_nothing(dry_run: Any) -> None:
    server = Server("web")
    server.lists[HPAS] = [server.run(found("web"))[0].hpa or {}]
    server.applied.clear()
    (outcome,) = server.run(found("web"), settings=settings(max="6"), dry_run=dry_run)
    assert (outcome.action, outcome.changes) == ("configured", ("maxReplicas: 5 -> 6",))
    assert [dry for _, _, _, dry in server.applied] == ([True] if dry_run == "server" else [])
    assert outcome.hpa is not None
    assert outcome.hpa["spec"]["maxReplicas"] == 6


@pytest.mark.parametrize("dry_run", ["none", "client", "server"])
def test_a_refusal_writes_nothing(dry_run: Any) -> None:
    server = Server("web")
    (outcome,) = server.run(found("web", cpu=""), dry_run=dry_run)
    assert isinstance(outcome.error, RefusedError)
    assert outcome.action is None
    assert [finding.level for finding in outcome.findings if finding.reason == "MissingRequest"] == ["refusal"]
    assert server.applied == []


def test_force_makes_a_refusal_a_warning() -> None:
    server = Server("web")
    (outcome,) = server.run(found("web", cpu=""), force=True)
    assert outcome.action == "created"
    assert [finding.level for finding in outcome.findings if finding.reason == "MissingRequest"] == ["warning"]
    assert len(server.applied) == 1


def test_force_cannot_give_a_daemonset_a_scale() -> None:
    server = Server()
    (outcome,) = server.run(found("logd", DAEMONSET), force=True)
    assert isinstance(outcome.error, RefusedError)
    assert "cannot autoscale a DaemonSet" in outcome.error.message
    assert server.applied == []


def test_an_error_stops_its_own_target_only() -> None:
    server = Server("web", "api")
    broken = NotFoundError('deployments.apps "nosuch" not found')
    outcomes = server.run(broken, found("web", cpu=""), found("api"))
    assert [type(outcome.error) for outcome in outcomes] == [NotFoundError, RefusedError, type(None)]
    assert [path for path, *_ in server.applied] == [f"{HPAS}/api"]


def test_many_targets_are_written_side_by_side_and_told_in_order() -> None:
    names = [f"d{n:02d}" for n in range(40)]
    server = Server(*names)
    outcomes = server.run(*map(found, names))
    assert [outcome.name for outcome in outcomes] == names
    assert {outcome.action for outcome in outcomes} == {"created"}
    assert server.connections > 1


def test_the_namespace_is_read_once() -> None:
    server = Server("web", "api")
    server.run(found("web"), found("api"))
    assert server.asked.count(HPAS) == 1


def test_the_second_target_sees_the_first_ones_hpa() -> None:
    """A statefulset of the same name would otherwise take the deployment's HPA over."""
    server = Server("web")
    server.objects[f"{LAB}/statefulsets/web/scale"] = {"spec": {"replicas": 2}, "status": {"selector": "app=db"}}
    outcomes = server.run(found("web"), found("web", STATEFULSET))
    assert outcomes[0].action == "created"
    assert isinstance(outcomes[1].error, RefusedError)
    assert "scales Deployment/web" in outcomes[1].error.message


def test_what_holds_for_all_targets_is_said_once() -> None:
    server = Server("web", "api")
    first, second = server.run(found("web"), found("api"), settings=settings(cpu="50"))
    assert [finding.reason for finding in first.findings] == ["ReadAsPercent", "Thresholds"]
    assert [finding.reason for finding in second.findings] == ["Thresholds"]
    assert second.findings[0].message.startswith("deployment.apps/api: with cpu target 50 %")


def test_a_single_target_is_not_named_again() -> None:
    (outcome,) = Server("web").run(found("web"))
    assert outcome.findings[0].message.startswith("with cpu target 50 %")


def test_pods_that_run_and_their_use() -> None:
    """A pod that is being deleted or has failed says nothing about the next one."""
    spec = workload("web")["spec"]["template"]["spec"]
    bare = workload("web", "")["spec"]["template"]["spec"]
    long_ago = "2026-11-24T19:00:00Z"
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": long_ago}
    running = {"phase": "Running", "startTime": long_ago, "conditions": [ready]}
    pods = [
        {"metadata": {"name": "web-1"}, "spec": spec, "status": running},
        {"metadata": {"name": "web-2", "deletionTimestamp": "2026-11-24T20:00:00Z"}, "spec": bare},
        {"metadata": {"name": "web-3"}, "spec": bare, "status": {"phase": "Failed"}},
    ]
    use = [{"name": "server", "usage": {"cpu": "450m"}}]
    usage = [{"metadata": {"name": f"web-{n}"}, "containers": use} for n in (1, 4)]
    server = Server("web")
    server.objects["/api/v1/namespaces/lab/pods"] = {"items": pods}
    server.objects[f"{METRICS}/namespaces/lab/pods"] = {"items": usage}
    (outcome,) = server.run(found("web"))
    assert [finding.reason for finding in outcome.findings] == ["Thresholds", "PresentUse"]
    pods[1]["metadata"] = {"name": "web-2"}
    (outcome,) = server.run(found("web"))
    assert "PodWithoutRequest" in {finding.reason for finding in outcome.findings}


def test_one_name_for_two_targets() -> None:
    with pytest.raises(UsageError, match="--name web2 can name one HPA, and there are 2 targets"):
        Server().run(found("web"), found("api"), name="web2")


def test_a_name_that_is_none() -> None:
    server = Server("web")
    with pytest.raises(UsageError, match="--name 'Bad_Name' is not a valid name"):
        server.run(found("web"), name="Bad_Name")
    assert server.asked == []
