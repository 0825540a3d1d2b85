"""What the verb says of conflicts, of what is not there, and of what may not be read."""

from __future__ import annotations

import pytest

from mlscale.errors import ConflictError, NotFoundError
from mlscale.kube.api_errors import (
    ApiConflictError,
    ApiError,
    ApiNotAllowedError,
)
from tests.unit.autoscale.flow_server import (
    HPAS,
    LAB,
    LIMITRANGES,
    METRICS,
    SCALEDOBJECTS,
    Json,
    Server,
    found,
    settings,
    status,
    stored,
)


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
