"""``mlscale recommend --apply``: what is shown, asked and written, and by which requests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.recording_server import Answer, RecordingServer, status
from tests.unit.cli.recommend_server import END, HPAS, POD, serve, workload, written
from tests.unit.scale.objects import path, scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command_line import CommandLine, Result


def test_yes_applies_by_the_code_of_autoscale(recommend: Callable[..., Result], server: RecordingServer) -> None:
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    result = recommend("web", "--apply", "--yes")
    patches = [request for request in server.requests if request.method == "PATCH"]

    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == "horizontalpodautoscaler.autoscaling/web autoscaled"
    assert "note: deployment.apps/web: would create horizontalpodautoscaler.autoscaling/web" in result.err
    # First as the server's dry run, to show and to be refused before anything is written.
    assert [patch.query.get("dryRun") for patch in patches] == ["All", None]
    assert all(patch.line == f"PATCH {HPAS}/web" for patch in patches)
    assert patches[-1].query["fieldManager"] == "mlscale"
    assert patches[-1].json()["spec"]["scaleTargetRef"]["name"] == "web"


def test_a_change_of_an_hpa_is_shown_field_by_field(recommend: Callable[..., Result], server: RecordingServer) -> None:
    target = {"type": "Utilization", "averageUtilization": 20}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    spec = {"scaleTargetRef": reference, "minReplicas": 4, "maxReplicas": 30, "metrics": metrics}
    hpa = {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    server.answers[f"GET {HPAS}"] = Answer({"items": [hpa]})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    result = recommend("web", "--apply", "--yes")

    assert result.code == 0, result.err
    assert "would change minReplicas: 4 -> " in result.err


class Terminal(io.StringIO):
    """stdin of a person."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "done"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_apply_asks_and_only_yes_means_yes(
    server: RecordingServer,
    command_line: Callable[..., CommandLine],
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    done: bool,
) -> None:
    serve(server)
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    monkeypatch.setattr(io, "StringIO", Terminal)
    line = ("recommend", "web", "--prometheus", server.url, "--history", "1d", "--apply")
    result = command_line(server.url)(*line, stdin=typed)
    patches = [request.query.get("dryRun") for request in server.requests if request.method == "PATCH"]

    assert "Apply this to deployment.apps/web in default? [y/N] " in result.err
    assert patches == (["All", None] if done else ["All"])
    assert ("nothing was changed" in result.err) is not done
    assert result.code == 0


def test_a_refusal_of_the_server_ends_it_before_anything_is_asked_or_written(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = status(403, "horizontalpodautoscalers is forbidden", "Forbidden")
    result = recommend("web", "--apply", "--yes")
    patches = [request.query.get("dryRun") for request in server.requests if request.method == "PATCH"]

    assert result.code == 4
    assert patches == ["All"]
    assert len(result.errors) == 1


KILLED = "time,pod,container,cpu,memory,oom_kills\n" + "".join(
    f"{END + 300 * index},{POD},server,0.2,{1000 * 2**20},{int(index > 100)}\n" for index in range(24 * 13)
)
"""At 1000Mi of the limit of 1Gi, and killed for it."""


def served_for_resize(server: RecordingServer) -> None:
    serve(server)
    owner = {"kind": "ReplicaSet", "name": "web-7d9f8c6b5", "controller": True}
    pod = {
        "metadata": {"name": POD, "namespace": "default", "ownerReferences": [owner]},
        "spec": workload()["spec"]["template"]["spec"],
        "status": {"phase": "Running"},
    }
    server.answers |= {
        f"PATCH {path('web')}": Answer(workload()),
        f"PATCH {path('web', 'scale')}": Answer(scale("web", 2)),
        f"GET {HPAS}": Answer({"items": []}),
        "GET /api/v1/namespaces/default/pods": Answer({"items": [pod]}),
        f"PATCH /api/v1/namespaces/default/pods/{POD}/resize": Answer(pod),
        f"GET /api/v1/namespaces/default/pods/{POD}": Answer(pod),
    }


@pytest.mark.parametrize(
    ("flags", "line", "said"),
    [
        ([], f"PATCH {path('web')}", "deployment.apps/web resized"),
        (["--in-place"], f"PATCH /api/v1/namespaces/default/pods/{POD}/resize", f"pod/{POD} resized"),
    ],
    ids=["template", "in place"],
)
def test_sizes_are_shown_tried_and_written(
    command_line: Callable[..., CommandLine], server: RecordingServer, flags: list[str], line: str, said: str
) -> None:
    served_for_resize(server)
    result = command_line(server.url)("recommend", "web", "--samples", "-", "--apply", "--yes", *flags, stdin=KILLED)
    patches = [request for request in server.requests if request.line == line]

    assert result.code == 0, result.err
    assert said in result.out.splitlines()
    assert [patch.query.get("dryRun") for patch in patches] == ["All", None]
    assert set(written(server)) <= {line, f"PATCH {path('web', 'scale')}"}
    assert "would change container server: cpu 500m (no limit), memory 256Mi (limit 1Gi) -> " in result.err


def test_sizes_that_someone_else_set_are_a_conflict_before_anything_is_written(
    command_line: Callable[..., CommandLine], server: RecordingServer
) -> None:
    served_for_resize(server)
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "argocd" using apps/v1', "field": ".spec"}
    server.answers[f"PATCH {path('web')}"] = status(409, "Apply failed", "Conflict", causes=[cause])
    result = command_line(server.url)("recommend", "web", "--samples", "-", "--apply", "--yes", stdin=KILLED)

    assert result.code == 5
    assert "its resources were set by field manager argocd; --force-conflicts takes over" in result.errors[0]
    assert [r.query.get("dryRun") for r in server.requests if r.method == "PATCH"] == ["All"]
