"""The verb over several targets: what is sent, in which order, and what becomes of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, Request
from tests.recording_server import status as failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]
LAB = "/apis/apps/v1/namespaces/lab"
HPAS = "/apis/autoscaling/v2/namespaces/lab/horizontalpodautoscalers"
LIMITRANGES = "/api/v1/namespaces/lab/limitranges"
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


class Server(RecordingServer):
    """An API server with some objects; keeps what was applied."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.objects: dict[str, Json | ApiError] = {METRICS: {}, "/api/v1/namespaces/lab": {}}
        self.lists: dict[str, list[Json] | ApiError] = {HPAS: [], LIMITRANGES: []}
        self.applied: list[tuple[str, Json, bool, bool]] = []
        self.store: Callable[[Json], Json] = stored
        for name in names:
            self.objects[f"{LAB}/deployments/{name}"] = workload(name)
            self.objects[f"{LAB}/deployments/{name}/scale"] = {
                "spec": {"replicas": 2},
                "status": {"selector": f"app={name}"},
            }

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.requests]

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            try:
                return Answer(self._answered(request))
            except ApiError as error:
                return failure(error.status.code, error.message, **error.status.details)

    def run(self, *found: Found | MlscaleError, settings: Any = None, **options: Any) -> list[Outcome]:
        return list(autoscale(client(self), found, settings or _SETTINGS, WriteOptions(**options)))

    def _answered(self, request: Request) -> Json:
        if request.method == "PATCH":
            query = request.query
            self.applied.append((request.path, request.json(), "force" in query, "dryRun" in query))
            return self.store(request.json())
        if "includeObject" in request.query:
            return {"rows": [{"cells": ["web"]}]}
        listed = self.lists.get(request.path)
        if isinstance(listed, ApiError):
            raise listed
        if listed is not None:
            return {"items": listed}
        found = self.objects.get(request.path, ApiNotFoundError(status(404)))
        if isinstance(found, ApiError):
            raise found
        return found


def stored(body: Json) -> Json:
    return {**body, "metadata": {**body["metadata"], "uid": "u"}}


_SETTINGS = settings()


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the servers that a test made."""
    made: list[Server] = []
    start = Server.__init__

    def noted(server: Server, *names: str) -> None:
        start(server, *names)
        made.append(server)

    monkeypatch.setattr(Server, "__init__", noted)
    yield
    for server in made:
        server.close()


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
    server.store = refuse
    (outcome,) = server.run(found("web"))
    assert isinstance(outcome.error, ConflictError)
    assert str(outcome.error) == (
        "horizontalpodautoscaler.autoscaling/web was not changed: field manager kubectl-autoscale set "
        "spec.maxReplicas, spec.minReplicas; field manager argo set x; "
        "--force-conflicts takes over, or change it where it was set"
    )
    server.store = stored
    assert server.run(found("web"), force_conflicts=True)[0].error is None
    assert server.applied[-1][2] is True


def test_another_conflict_is_told_as_it_is() -> None:
    def refuse(body: Json) -> Json:
        raise ApiConflictError(status(409, "the object has been modified"))

    server = Server("web")
    server.store = refuse
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
    for path in (HPAS, SCALEDOBJECTS, LIMITRANGES):
        server.lists[path] = ApiNotAllowedError(status(403))
    (outcome,) = server.run(found("web"))
    assert outcome.action == "applied"
    assert [finding.message for finding in outcome.findings if finding.reason == "NotChecked"] == [
        "not checked: horizontalpodautoscalers may not be listed",
        "not checked: scaledobjects.keda.sh may not be listed",
        "not checked: limitranges may not be listed",
    ]


@pytest.mark.parametrize("error", [ApiNotAllowedError(status(401)), ApiError(status(500))])
def test_other_errors_of_the_reads_end_the_target(error: ApiError) -> None:
    server = Server("web")
    server.lists[HPAS] = error
    (outcome,) = server.run(found("web"))
    assert isinstance(outcome.error, ApiError)
    assert outcome.error.status.code == error.status.code
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
