"""``status -w`` in a pipe."""

from __future__ import annotations

import threading
from itertools import islice
from typing import Any

import pytest

from mlscale.errors import MlscaleError, NotAllowedError, NotFoundError
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.output.tables import render_watch
from mlscale.status.model import StatusRequest
from mlscale.status.watch import GIVE_UP_AFTER, watch_status
from tests.unit.status.objects import deployment, hpa
from tests.unit.status.server import QUIET, Answer, Query, Server, forbidden, gone, table

Json = dict[str, Any]
PODS = "/api/v1/namespaces/ml/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/ml/deployments"
STATEFULSETS = "/apis/apps/v1/namespaces/ml/statefulsets"
HPAS = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
ONLY_PODS = StatusRequest("ml", only=("pods",))
COLUMNS = "Name Ready Status Restarts Age"


def event(kind: str, cells: str, version: str, obj: Json | None = None) -> Json:
    """An event as the server sends it after the first: without column definitions."""
    body = {
        "metadata": {"resourceVersion": version},
        "columnDefinitions": None,
        "rows": [{"cells": cells.split(), "object": obj}],
    }
    return {"type": kind, "object": body}


def server(pods: Answer, *watches: list[Json] | MlscaleError) -> Server:
    return Server({PODS: pods, "/api/v1/namespaces/ml": {}}, {PODS: list(watches)})


def lines(given: Server, request: StatusRequest, count: int, naps: list[float] | None = None) -> list[str]:
    changes = watch_status(given, request, sleep=(naps if naps is not None else []).append)
    several = len(request.only) != 1
    rendered = render_watch(((change.kind.printed, change.table) for change in changes), with_kind=several)
    try:
        return list(islice(rendered, count))
    finally:
        given.closed.set()


def versions(given: Server) -> list[str]:
    return [query["resourceVersion"] for path, query in given.asked if path == PODS and "watch" in query]


ONE = table(COLUMNS, ("web-1 1/1 Running 0 5m", None), version="7")


def test_the_table_is_printed_and_then_a_line_for_each_change() -> None:
    given = server(
        ONE, [event("ADDED", "web-long-name 0/1 Pending 0 0s", "8"), event("DELETED", "web-1 1/1 Running 0 6m", "9")]
    )
    assert lines(given, ONLY_PODS, 4) == [
        "NAME    READY   STATUS    RESTARTS   AGE",
        "web-1   1/1     Running   0          5m",
        "web-long-name   0/1     Pending   0          0s",
        "web-1           1/1     Running   0          6m",
    ]


def test_what_was_listed_is_watched_without_a_second_list() -> None:
    """A second list of 5,000 pods would double what a watch costs to begin."""
    given = server(ONE, [event("ADDED", "web-2 0/1 Pending 0 0s", "8")])
    lines(given, ONLY_PODS, 3)
    assert [query.get("watch", "") for path, query in given.asked if path == PODS][:2] == ["", "true"]


def test_a_bookmarks_row_is_no_row() -> None:
    given = server(ONE, [event("BOOKMARK", "0/0 0", "8"), event("ADDED", "web-2 0/1 Pending 0 0s", "9")])
    assert lines(given, ONLY_PODS, 3)[2].startswith("web-2")


def test_a_watch_goes_on_where_it_ended_bookmarks_included() -> None:
    given = server(
        ONE,
        [event("ADDED", "web-2 0/1 Pending 0 0s", "8"), event("BOOKMARK", "x", "30")],
        [event("MODIFIED", "web-2 1/1 Running 0 1s", "31")],
    )
    assert len(lines(given, ONLY_PODS, 4)) == 4
    assert versions(given)[:2] == ["7", "30"]


def test_after_410_only_rows_that_differ_are_printed() -> None:
    """Ages differ by themselves; printing every row again would look as if all had changed."""
    lists = iter(
        [ONE, table(COLUMNS, ("web-1 1/1 Running 0 9m", None), ("web-2 1/1 Running 0 1s", None), version="40")]
    )

    def pods(query: Query) -> Json:
        return next(lists)

    given = server(pods, gone(), [event("MODIFIED", "web-1 0/1 Error 0 9m", "41")])
    assert lines(given, ONLY_PODS, 4)[2:] == [
        "web-2   1/1     Running   0          1s",
        "web-1   0/1     Error     0          9m",
    ]
    assert versions(given)[:2] == ["7", "40"]


def test_a_connection_that_breaks_is_tried_again_after_a_pause() -> None:
    broken = MlscaleError("cut off")
    naps: list[float] = []
    given = server(ONE, broken, broken, [event("ADDED", "web-2 0/1 Pending 0 0s", "8")])
    assert lines(given, ONLY_PODS, 3, naps)[2].startswith("web-2")
    assert naps[:2] == [1.0, 2.0]


def test_a_connection_that_stays_broken_ends_with_its_error() -> None:
    naps: list[float] = []
    given = server(ONE, *[MlscaleError("cut off")] * GIVE_UP_AFTER)
    with pytest.raises(MlscaleError, match="cut off"):
        lines(given, ONLY_PODS, 3, naps)
    assert naps == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_watch_that_is_not_allowed_ends_at_once() -> None:
    naps: list[float] = []
    with pytest.raises(NotAllowedError):
        lines(server(ONE, forbidden()), ONLY_PODS, 3, naps)
    assert naps == []


def test_a_watch_that_ends_without_a_word_is_not_repeated_without_a_pause() -> None:
    naps: list[float] = []
    given = server(ONE, [], [], [event("ADDED", "web-2 0/1 Pending 0 0s", "8")])
    assert lines(given, ONLY_PODS, 3, naps)[2].startswith("web-2")
    assert naps[:2] == [1.0, 1.0]


def test_an_unknown_name_or_namespace_is_an_error_before_anything_is_printed() -> None:
    missing = Server(
        {HPAS: table("Name"), PODS: table(COLUMNS), DEPLOYMENTS: table("Name"), "/api/v1/namespaces/ml": {}}
    )
    with pytest.raises(NotFoundError, match='"web" not found'):
        next(watch_status(missing, StatusRequest("ml", (Target(DEPLOYMENT, "ml", "web"),))))
    nowhere = Server({PODS: table(COLUMNS)})
    with pytest.raises(NotFoundError, match='namespace "ml" not found'):
        next(watch_status(nowhere, ONLY_PODS))


def test_named_workloads_are_watched_by_name_their_pods_by_selector_and_hpas_by_target() -> None:
    other, own = hpa("other", "api"), hpa("new")
    watches: dict[str, list[list[Json] | MlscaleError]] = {
        DEPLOYMENTS: [[event("MODIFIED", "web 2/3", "8", deployment())]],
        HPAS: [[event("ADDED", "other x", "8", other), event("ADDED", "new x", "9", own)]],
        PODS: [[event("ADDED", "web-2 0/1 Pending 0 0s", "8")]],
    }
    listed = {
        DEPLOYMENTS: table("Name Ready", ("web 3/3", None)),
        f"{DEPLOYMENTS}/web": table("Name Ready", ("web 3/3", deployment())),
        PODS: ONE,
        HPAS: table("Name Reference", ("web Deployment/web", hpa())),
    }
    given = Server({**listed}, watches)
    seen = lines(given, StatusRequest("ml", (Target(DEPLOYMENT, "ml", "web"),)), 11)
    assert [line.split()[0] for line in seen if line][:6] == [
        "NAME", "deployment.apps/web", "NAME", "pod/web-1", "NAME", "horizontalpodautoscaler.autoscaling/web",
    ]  # fmt: skip
    assert sorted(line.split()[0] for line in seen[8:]) == [
        "deployment.apps/web",
        "horizontalpodautoscaler.autoscaling/new",
        "pod/web-2",
    ]
    selected = {path: query for path, query in given.asked if "watch" in query}
    assert selected[DEPLOYMENTS]["fieldSelector"] == "metadata.name=web"
    assert selected[PODS]["labelSelector"] == "app=web"


def test_an_hpa_made_later_for_a_workload_made_later_is_shown_too() -> None:
    workload_seen = threading.Event()
    watches: dict[str, list[list[Json] | MlscaleError]] = {
        DEPLOYMENTS: [[event("ADDED", "late 0/3", "8", deployment("late"))]],
        # The first watch ends at once, so that the second begins after the pause, when the workload is known.
        HPAS: [
            [],
            [event("ADDED", "of-late x", "9", hpa("of-late", "late")), event("ADDED", "x x", "9", hpa("x", "y"))],
        ],
    }
    empty: dict[str, Answer] = {path: table("Name") for path in (DEPLOYMENTS, STATEFULSETS, HPAS, PODS)}
    given = Server({**empty, "/api/v1/namespaces/ml": {}}, watches)
    request = StatusRequest("ml", selector="app=x", only=("workloads", "hpa"))
    changes = watch_status(given, request, sleep=lambda _: (workload_seen.wait(QUIET), None)[1])
    filled = (row["cells"][0] for change in changes for row in change.rows)
    assert next(filled) == "late"
    workload_seen.set()
    assert next(filled) == "of-late"
    given.closed.set()
