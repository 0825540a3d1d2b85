"""The scale subresource, as Kubernetes 1.37.2 shows and takes it."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.kinds import DEPLOYMENT, Kind
from mlscale.sandbox.scales import ScalePaths, scale_of, scaled, selector_text
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox import api_objects

THING = Kind("a1.example.com", "v1", "Thing", "things")
PATHS = ScalePaths(".spec.replicas", ".status.replicas", ".status.selector")


def stored(kind: str = "Deployment", replicas: int = 2, selector: object = None) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t",
                "labels": {"x": "y"}}  # fmt: skip
    spec = {"replicas": replicas, "selector": selector or {"matchLabels": {"app": "a"}}}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"replicas": 1}}


def test_the_scale_of_a_deployment() -> None:
    metadata = {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t"}
    assert scale_of(stored()) == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": 2},
        "status": {"replicas": 1, "selector": "app=a"},
    }


def test_a_scale_of_zero_has_an_empty_spec() -> None:
    assert scale_of(stored(replicas=0))["spec"] == {}


def test_a_replication_controllers_selector_is_a_bare_map() -> None:
    assert scale_of(stored("ReplicationController", selector={"app": "a"}))["status"]["selector"] == "app=a"


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"b": "c", "app": "x"}}, "app=x,b=c"),
        (
            {
                "matchLabels": {"app": "x", "b": "c"},
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["z", "x"]},
                    {"key": "d", "operator": "Exists"},
                ],
            },
            "a in (x,z),app=x,b=c,d",
        ),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["z"]}]}, "a notin (z)"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a"),
    ],
)
def test_how_a_selector_is_written(selector: dict[str, object], text: str) -> None:
    assert selector_text(selector) == text


def test_the_scale_of_a_custom_resource_follows_its_paths() -> None:
    obj = {**api_objects.thing("t"), "spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "app=t"}}
    scale = scale_of(obj, PATHS)
    assert (scale["spec"], scale["status"]) == ({"replicas": 3}, {"replicas": 2, "selector": "app=t"})
    assert scale_of({**obj, "status": {}}, PATHS)["status"] == {"replicas": 0}


def test_a_custom_resource_without_its_replicas_has_no_scale() -> None:
    with pytest.raises(StatusError) as raised:
        scale_of(api_objects.thing("t"), PATHS)
    assert (raised.value.code, raised.value.reason) == (500, "InternalError")
    assert raised.value.message == 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist'


def test_a_scale_writes_nothing_but_the_replicas() -> None:
    before = stored()
    after = scaled(DEPLOYMENT, before, {"metadata": {"name": "a", "labels": {"no": "no"}}, "spec": {"replicas": 5}})
    assert after["spec"] == stored(replicas=5)["spec"]
    assert after["metadata"]["labels"] == {"x": "y"}
    assert "resourceVersion" not in after["metadata"]
    assert before == stored()


def test_a_scale_carries_its_version_on() -> None:
    after = scaled(DEPLOYMENT, stored(), {"metadata": {"name": "a", "resourceVersion": "3"}, "spec": {}})
    assert (after["metadata"]["resourceVersion"], after["spec"]["replicas"]) == ("3", 0)


_DEEP = ScalePaths(".spec.workers.count", ".status.count")


def test_a_custom_resource_is_scaled_at_its_path() -> None:
    obj = {**api_objects.thing("t"), "spec": {"workers": {"count": 1, "kind": "gpu"}}}
    assert scaled(THING, obj, {"spec": {"replicas": 4}}, _DEEP)["spec"] == {"workers": {"count": 4, "kind": "gpu"}}


@pytest.mark.parametrize(
    ("kind", "paths", "message"),
    [
        (
            DEPLOYMENT,
            None,
            'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -3: must be greater than or equal to 0',
        ),
        (
            THING,
            PATHS,
            'Thing.a1.example.com "a" is invalid: .spec.replicas: Invalid value: -3: should be a non-negative integer',
        ),
    ],
)
def test_a_negative_count_is_invalid(kind: Kind, paths: ScalePaths | None, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        scaled(kind, stored(), {"metadata": {"name": "a"}, "spec": {"replicas": -3}}, paths)
    assert (raised.value.code, raised.value.message) == (422, message)


def test_another_kind_is_no_scale() -> None:
    with pytest.raises(StatusError) as raised:
        scaled(DEPLOYMENT, stored(), api_objects.deployment("a"))
    why = "converting (v1.Deployment) to (autoscaling.Scale): unknown conversion"
    assert raised.value.message == f'Deployment in version "v1" cannot be handled as a Scale: {why}'
