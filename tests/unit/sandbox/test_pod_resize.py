"""A resize of pods that run: what the server takes, and what the kubelet makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.patching import JSON_PATCH
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.lives import USER, Living, small

Json = dict[str, Any]


def sized(cpu: str, memory: str = "1Gi") -> Json:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "10", "memory": "100Gi"}}


def pod(name: str, cpu: str) -> Json:
    container = {"name": "model", "image": "registry.example.com/web:1", "resources": sized(cpu)}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


@pytest.fixture
def life() -> Living:
    """A node of 8 CPUs with two pods, which ask for 1 and for 4 of them."""
    life = small()
    life.create(pod("web", "1"))
    life.create(pod("other", "4"))
    life.after(30)
    return life


def resize(life: Living, *operations: Json, dry_run: bool = False) -> Json:
    pods = life.api.resources["pods"]
    done = life.api.patch(
        pods, "default", "web", list(operations), JSON_PATCH, USER, subresource="resize", dry_run=dry_run
    )
    life.simulation.settle()
    return done


def to(resources: Json) -> Json:
    return {"op": "add", "path": "/spec/containers/0/resources", "value": resources}


def resize_condition(life: Living) -> tuple[str, str] | None:
    conditions = life.one("pods", "web")["status"]["conditions"]
    found = [(each["type"], each.get("reason", "")) for each in conditions if each["type"].startswith("PodResize")]
    return found[0] if found else None


def test_the_kubelet_brings_a_container_to_its_new_size(life: Living) -> None:
    before = life.one("pods", "web")
    done = resize(life, to(sized("2")))
    assert done["metadata"]["generation"] == before["metadata"]["generation"] + 1

    at_once = life.container("web")
    assert at_once["resources"]["requests"]["cpu"] == "1"
    assert at_once["allocatedResources"]["cpu"] == "2"
    assert resize_condition(life) == ("PodResizeInProgress", "")

    life.after(32)
    after = life.one("pods", "web")
    assert life.container("web")["resources"] == sized("2")
    assert resize_condition(life) is None
    assert after["status"]["observedGeneration"] == after["metadata"]["generation"]
    assert life.container("web")["restartCount"] == 0


def test_a_size_for_which_there_is_no_room_waits_until_there_is(life: Living) -> None:
    resize(life, to(sized("5")))
    life.after(60)
    assert resize_condition(life) == ("PodResizePending", "Deferred")
    assert life.container("web")["resources"] == sized("1")
    life.delete("other")
    life.after(120)
    assert resize_condition(life) is None
    assert life.container("web")["resources"] == sized("5")


def test_a_size_larger_than_the_node_is_not_tried_again(life: Living) -> None:
    resize(life, to({**sized("9")}))
    life.after(120)
    assert resize_condition(life) == ("PodResizePending", "Infeasible")
    resize(life, to(sized("1")))
    life.after(130)
    assert resize_condition(life) is None


def test_a_dry_run_changes_nothing(life: Living) -> None:
    done = resize(life, to(sized("2")), dry_run=True)
    assert done["spec"]["containers"][0]["resources"] == sized("2")
    life.after(60)
    assert life.container("web")["resources"] == sized("1")


@pytest.mark.parametrize(
    ("operations", "messages"),
    [
        (
            [to({"requests": {"cpu": "1", "memory": "1Gi"}})],
            ["Forbidden: resource limits cannot be removed"],
        ),
        (
            [to({})],
            [
                'Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
                "Forbidden: resource requests cannot be removed",
                "Forbidden: resource limits cannot be removed",
            ],
        ),
        (
            [{"op": "add", "path": "/spec/containers/-", "value": {"name": "more", "image": "x:1"}}],
            ["Forbidden: containers may not be added or removed on resize"],
        ),
        (
            [to({kind: {**own, "nvidia.com/gpu": "1"} for kind, own in sized("1").items()})],
            ["Forbidden: only cpu and memory resources are mutable"],
        ),
        (
            [to(sized("11"))],
            ['Invalid value: "11": must be less than or equal to cpu limit of 10'],
        ),
    ],
    ids=["a limit less", "nothing", "a container more", "a GPU more", "over the limit"],
)
def test_what_the_server_refuses(life: Living, operations: list[Json], messages: list[str]) -> None:
    with pytest.raises(StatusError) as refused:
        resize(life, *operations)
    assert refused.value.code == 422
    assert [cause["message"] for cause in refused.value.body()["details"]["causes"]] == messages


def test_nothing_but_sizes_is_changed(life: Living) -> None:
    image = {"op": "replace", "path": "/spec/containers/0/image", "value": "registry.example.com/web:2"}
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    done = resize(life, image, label, to(sized("2")))
    assert done["spec"]["containers"][0]["image"] == "registry.example.com/web:1"
    assert "labels" not in done["metadata"]
