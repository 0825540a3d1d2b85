"""The verb over several targets: what is sent, in which order, and what becomes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from mlscale.autoscale import HpaOptions, Outcome, WriteOptions, autoscale, parse_settings
from mlscale.errors import ConflictError, MlscaleError, NotFoundError, RefusedError, UsageError
from mlscale.kube.api_errors import (
    ApiConflictError,
    ApiError,
    ApiNotAllowedError,
    ApiNotFoundError,
    ApiStatus,
)
from mlscale.kube.kinds import DAEMONSET, DEPLOYMENT, STATEFULSET, Kind
from mlscale.kube.targets import Found, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.kube.client import Client

Json = dict[str, Any]
LAB = "/apis/apps/v1/namespaces/lab"
HPAS = "/apis/autoscaling/v2/namespaces/lab/horizontalpodautoscalers"
SCALEDOBJECTS = "/apis/keda.sh/v1alpha1/namespaces/lab/scaledobjects"
METRICS = "/apis/metrics.k8s.io/v1beta1"


def kind_of(_: str) -> Kind:
    return DEPLOYMENT


def settings(**options: Any) -> Any:
    return parse_settings(HpaOptions(**{"min": "2", "max": "5", "cpu": "50%", **options}), kind_of)


def workload(name: str, cpu: str = "500m") -> Json:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    spec = {"containers": [{"name": "server", "resources": resources}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def status(code: int, message: str = "", **details: Any) -> ApiStatus:
    return ApiStatus(code, "", message or f"code {code}", details)


class Server:
    """Answers as an API server with some objects; keeps what was asked and written."""

    def __init__(self, *names: str) -> None:
        self.objects: dict[str, Json | MlscaleError] = {METRICS: {}, "/api/v1/namespaces/lab": {}}
        self.lists: dict[str, list[Json] | MlscaleError] = {}
        self.asked: list[str] = []
        self.applied: list[tuple[str, Json, bool, bool]] = []
        self.answer: Callable[[Json], Json] = self._stored
        for name in names:
            self.objects[f"{LAB}/deployments/{name}"] = workload(name)
            self.objects[f"{LAB}/deployments/{name}/scale"] = {
                "spec": {"replicas": 2},
                "status": {"selector": f"app={name}"},
            }

    def get(self, path: str, **_: str) -> Json:
        self.asked.append(path)
        found = self.objects.get(path, ApiNotFoundError(status(404)))
        if isinstance(found, MlscaleError):
            raise found
        return found

    def table(self, _path: str, **_: str) -> Json:
        return {"rows": [{"cells": ["web"]}]}

    def list_all(self, path: str, **_: str) -> list[Json]:
        self.asked.append(path)
        if path == SCALEDOBJECTS and path not in self.lists:
            raise ApiNotFoundError(status(404))
        found = self.lists.get(path, [])
        if isinstance(found, MlscaleError):
            raise found
        return found

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        return [self._outcome(call) for call in calls]

    def apply(self, path: str, body: Json, *, force: bool = False, dry_run: bool = False) -> Json:
        self.applied.append((path, body, force, dry_run))
        return self.answer(body)

    def run(self, *found: Found | MlscaleError, settings: Any = None, **options: Any) -> list[Outcome]:
        client = cast("Client", self)
        return list(autoscale(client, found, settings or _SETTINGS, WriteOptions(**options)))

    @staticmethod
    def _outcome(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except MlscaleError as error:
            return error

    @staticmethod
    def _stored(body: Json) -> Json:
        return {**body, "metadata": {**body["metadata"], "uid": "u"}}


_SETTINGS = settings()


def found(name: str, kind: Kind = DEPLOYMENT, *, live: bool = True, cpu: str = "500m") -> Found:
    return Found(Target(kind, "lab", name), workload(name, cpu), live)


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


def test_outcomes_come_one_by_one() -> None:
    """The first answer can be printed before the second target is looked at."""
    server = Server("web", "api")
    outcomes = autoscale(cast("Client", server), [found("web"), found("api")], _SETTINGS, WriteOptions())
    next(outcomes)
    assert [path for path, *_ in server.applied] == [f"{HPAS}/web"]


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
    pods = [
        {"metadata": {"name": "web-1"}, "spec": spec, "status": {"phase": "Running"}},
        {"metadata": {"name": "web-2", "deletionTimestamp": "2026-11-24T20:00:00Z"}, "spec": bare},
        {"metadata": {"name": "web-3"}, "spec": bare, "status": {"phase": "Failed"}},
    ]
    usage = {"containers": [{"name": "server", "usage": {"cpu": "450m"}}]}
    server = Server("web")
    server.objects["/api/v1/namespaces/lab/pods"] = {"items": pods}
    server.objects[f"{METRICS}/namespaces/lab/pods"] = {"items": [usage, usage]}
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


def test_a_conflict_names_managers_and_fields() -> None:
    def cause(manager: str, field: str) -> Json:
        message = f'conflict with "{manager}" using autoscaling/v2'
        return {"reason": "FieldManagerConflict", "message": message, "field": field}

    causes = [cause("kubectl-autoscale", ".spec.maxReplicas"), cause("kubectl-autoscale", ".spec.minReplicas")]

    def refuse(body: Json) -> Json:
        raise ApiConflictError(
            status(409, "Apply failed with 3 conflicts:\n- …", causes=[*causes, cause("argo", ".x")])
        )

    server = Server("web")
    server.answer = refuse
    (outcome,) = server.run(found("web"))
    assert isinstance(outcome.error, ConflictError)
    assert str(outcome.error) == (
        "horizontalpodautoscaler.autoscaling/web was not changed: field manager kubectl-autoscale set "
        "spec.maxReplicas, spec.minReplicas; field manager argo set x; "
        "--force-conflicts takes over, or change it where it was set"
    )
    server.answer = server._stored
    assert server.run(found("web"), force_conflicts=True)[0].error is None
    assert server.applied[-1][2] is True


def test_another_conflict_is_told_as_it_is() -> None:
    def refuse(body: Json) -> Json:
        raise ApiConflictError(status(409, "the object has been modified"))

    server = Server("web")
    server.answer = refuse
    (outcome,) = server.run(found("web"))
    assert outcome.error is not None
    assert outcome.error.message == "the object has been modified"


def test_a_workload_of_a_file_is_looked_up() -> None:
    server = Server("web")
    assert server.run(found("web", live=False))[0].action == "created"
    assert f"{LAB}/deployments/web" in server.asked
    (outcome,) = server.run(found("wbe", live=False))
    assert isinstance(outcome.error, NotFoundError)
    assert 'did you mean "web"?' in str(outcome.error)


def test_without_the_right_to_list_it_still_writes() -> None:
    server = Server("web")
    for path in (HPAS, SCALEDOBJECTS, "/api/v1/namespaces/lab/limitranges"):
        server.lists[path] = ApiNotAllowedError(status(403))
    (outcome,) = server.run(found("web"))
    assert outcome.action == "applied"
    assert [finding.message for finding in outcome.findings if finding.reason == "NotChecked"] == [
        "not checked: horizontalpodautoscalers may not be listed",
        "not checked: scaledobjects.keda.sh may not be listed",
        "not checked: limitranges may not be listed",
    ]


@pytest.mark.parametrize("error", [ApiNotAllowedError(status(401)), ApiError(status(500))])
def test_other_errors_of_the_reads_end_the_target(error: MlscaleError) -> None:
    server = Server("web")
    server.lists[HPAS] = error
    (outcome,) = server.run(found("web"))
    assert outcome.error is error
    assert server.applied == []


@pytest.mark.parametrize(
    ("options", "path", "api"),
    [
        ({}, METRICS, "metrics.k8s.io"),
        ({"cpu": None, "metrics": ("pods:rps=1",)}, "/apis/custom.metrics.k8s.io", "custom.metrics.k8s.io"),
        (
            {"cpu": None, "metrics": ("external:q=1",)},
            "/apis/external.metrics.k8s.io/v1beta1",
            "external.metrics.k8s.io",
        ),
    ],
)
def test_the_metrics_api_that_is_needed(options: Json, path: str, api: str) -> None:
    server = Server("web")
    server.objects.pop(METRICS)
    (outcome,) = server.run(found("web"), settings=settings(**options))
    assert [finding.about for finding in outcome.findings if finding.reason == "MetricsApiAbsent"] == [api]
    server.objects[path] = ApiError(status(503))
    (outcome,) = server.run(found("web"), settings=settings(**options))
    assert "MetricsApiAbsent" in {finding.reason for finding in outcome.findings}
    server.objects[path] = {}
    (outcome,) = server.run(found("web"), settings=settings(**options))
    assert not [finding for finding in outcome.findings if finding.reason == "MetricsApiAbsent"]
