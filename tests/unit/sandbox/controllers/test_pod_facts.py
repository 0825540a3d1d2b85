"""Which pod a controller ends first, as in kubernetes pkg/controller/controller_utils_test.go, v1.37.2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.controllers.pod_facts import (
    DELETION_COST,
    is_active,
    is_terminating,
    pods_to_delete,
    seconds_until_available,
)

Json = dict[str, Any]

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
MONTH = timedelta(days=30)


def pod(
    name: str = "pod", node: str = "node", phase: str = "Running", *, ready: timedelta | None = timedelta(0),
    created: timedelta = timedelta(0), restarts: int = 0, cost: str | None = None,
) -> Json:  # fmt: skip
    """A pod that is ready (None: is not) and was created so long ago."""
    metadata: Json = {"name": name, "namespace": "default", "uid": name, "creationTimestamp": timestamp(NOW - created)}
    if cost is not None:
        metadata["annotations"] = {DELETION_COST: cost}
    status: Json = {"phase": phase}
    if ready is not None:
        since = timestamp(NOW - ready)
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
        status["containerStatuses"] = [{"restartCount": restarts}]
    return {"metadata": metadata, "spec": {"nodeName": node} if node else {}, "status": status}


UNSCHEDULED = pod(node="", phase="Pending", ready=None)
PENDING = pod(phase="Pending", ready=None)
UNKNOWN = pod(phase="Unknown", ready=None)
NOT_READY = pod(ready=None)


@pytest.mark.parametrize(
    ("lesser", "greater"),
    [
        pytest.param(UNSCHEDULED, PENDING, id="without a node before with one"),
        pytest.param(PENDING, UNKNOWN, id="pending before unknown"),
        pytest.param(UNKNOWN, NOT_READY, id="unknown before running"),
        pytest.param(NOT_READY, pod(), id="not ready before ready"),
        pytest.param(pod(), pod(ready=MONTH, created=MONTH), id="ready now before ready long ago"),
        pytest.param(pod(restarts=9001), pod(), id="more restarts before fewer"),
        pytest.param(pod(), pod(created=MONTH), id="younger before older"),
        pytest.param(pod(created=MONTH, cost="10"), pod(cost="100"), id="cheaper before dearer"),
        pytest.param(
            pod(ready=timedelta(hours=2), created=MONTH),
            pod(ready=timedelta(hours=5), created=MONTH),
            id="2 h before 5 h",
        ),
    ],
)
def test_which_of_two_goes_first(lesser: Json, greater: Json) -> None:
    assert pods_to_delete([greater, lesser], [], 1, NOW) == [lesser]
    assert pods_to_delete([lesser, greater], [], 1, NOW) == [lesser]


def test_5_and_8_hours_are_the_same_age_so_the_uid_decides() -> None:
    # 2 to the power of 44 nanoseconds are 4.9 h, of 45 are 9.8 h.
    younger, older = pod("b", ready=timedelta(hours=5)), pod("a", ready=timedelta(hours=8))
    assert pods_to_delete([younger, older], [], 1, NOW) == [older]


def test_of_two_alike_the_one_on_the_fuller_node_goes() -> None:
    alone, doubled, neighbour = pod("a", node="x"), pod("b", node="y"), pod("c", node="y")
    assert pods_to_delete([alone, doubled], [alone, doubled, neighbour], 1, NOW) == [doubled]
    # A neighbour that ends does not count, so the uid decides.
    neighbour["metadata"]["deletionTimestamp"] = timestamp(NOW)
    first = pods_to_delete([alone, pod("b", node="y", ready=MONTH)], [alone, doubled, neighbour], 1, NOW)
    assert first == [alone]


def test_all_of_them_need_no_order() -> None:
    assert pods_to_delete([pod(), NOT_READY], [], 2, NOW) == [pod(), NOT_READY]


def test_a_pod_is_available_after_min_ready_seconds() -> None:
    fresh = pod(ready=timedelta(seconds=4))
    assert seconds_until_available(fresh, 0, NOW) == 0
    assert seconds_until_available(fresh, 10, NOW) == 6
    assert seconds_until_available(fresh, 4, NOW) == 0
    assert seconds_until_available(NOT_READY, 10, NOW) is None


def test_a_pod_that_ends_is_no_replica_but_terminating_until_it_has_ended() -> None:
    ending = pod()
    ending["metadata"]["deletionTimestamp"] = timestamp(NOW)
    assert (is_active(ending), is_terminating(ending)) == (False, True)
    ended = pod(phase="Failed")
    ended["metadata"]["deletionTimestamp"] = timestamp(NOW)
    assert (is_active(ended), is_terminating(ended)) == (False, False)
    assert (is_active(pod()), is_terminating(pod())) == (True, False)
