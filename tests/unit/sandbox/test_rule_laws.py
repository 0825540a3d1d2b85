"""Whatever is sent: defaults are set once and for all, and nothing breaks the rules instead of breaking a rule."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.kube.kinds import LIMITRANGE, POD, SERVICE
from mlscale.sandbox.admission import admit
from mlscale.sandbox.defaults import set_defaults
from mlscale.sandbox.defaults_pods import pull_policy
from mlscale.sandbox.generated import with_generated_fields
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store
from mlscale.sandbox.validation import validate
from tests.unit.sandbox.rule_base import PLAIN
from tests.unit.sandbox.rule_cases import CASES
from tests.unit.sandbox.test_rules import cluster, placed

if TYPE_CHECKING:
    from tests.unit.sandbox.rule_base import Case

Json = dict[str, Any]

LEAVES = st.none() | st.booleans() | st.integers(-(2**33), 2**33) | st.sampled_from(["", "x", "1.5", "-1", "a b", "%"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("name"), inner))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all that is inside of ``value``."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [found for key in keys for found in ((*path, key), *places(value[key], (*path, key)))]


def replaced(body: Json, path: tuple[Any, ...], value: Any) -> Json:
    changed = copy.deepcopy(body)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CASES), st.data(), VALUES)
def test_any_value_anywhere_is_taken_or_refused(case: Case, data: st.DataObject, value: Any) -> None:
    body = placed(case.body, PLAIN)
    path = data.draw(st.sampled_from([path for path in places(case.body) if path not in (("metadata",), ("kind",))]))
    if path[0] == "metadata":
        return
    assert answered(case, replaced(body, path, value)) in (201, 400, 403, 404, 422)


def answered(case: Case, body: Json) -> int:
    """The code of the answer; a refusal says which field, why and in which words."""
    try:
        obj = admit(cluster(), case.kind, set_defaults(case.kind, body), None)
    except StatusError as refusal:
        return refusal.code
    causes = validate(case.kind, obj, None)
    assert all(cause.field and cause.reason.startswith("FieldValue") and cause.message for cause in causes)
    return 422 if causes else 201


@given(st.sampled_from(CASES))
def test_what_is_complete_stays_as_it_is(case: Case) -> None:
    once = set_defaults(case.kind, placed(case.body, PLAIN))
    assert set_defaults(case.kind, once) == once


@given(st.sampled_from(["1.5", "1500m", "1024Mi", "0.0001", "1e3", "2E", "100M", "0"]), st.booleans())
def test_a_limit_becomes_the_request_that_is_missing(limit: str, requested: bool) -> None:
    """Where no request stands beside it; one that does is kept."""
    resources = {"limits": {"memory": limit}, **({"requests": {"memory": "1"}} if requested else {})}
    pod = set_defaults(POD, {"spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}})
    held = pod["spec"]["containers"][0]["resources"]
    assert held["requests"]["memory"] == ("1" if requested else held["limits"]["memory"])


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("i", "Always"),
        ("i:latest", "Always"),
        ("r.example:5000/i", "Always"),
        ("i:1", "IfNotPresent"),
        ("r.example:5000/i:1", "IfNotPresent"),
        ("i@sha256:0", "IfNotPresent"),
        ("i:latest@sha256:0", "Always"),
        ("", "IfNotPresent"),
    ],
)
def test_only_the_latest_image_is_always_pulled(image: str, policy: str) -> None:
    """pkg/apis/core/v1/defaults.go and pkg/util/parsers/parsers.go, v1.37.2."""
    assert pull_policy(image) == policy


def test_a_limit_range_fills_in_what_its_bounds_imply() -> None:
    """Upstream: a default from the maximum, a default request from the default, else from the minimum."""
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Mi"}}
    complete = set_defaults(LIMITRANGE, {"spec": {"limits": [item, {**item, "type": "Pod"}]}})["spec"]["limits"]
    assert complete[0] == {**item, "default": {"cpu": "2"}, "defaultRequest": {"cpu": "2", "memory": "1Mi"}}
    assert complete[1] == {**item, "type": "Pod"}


def test_services_share_no_address_and_no_node_port() -> None:
    store = Store()
    taken = set()
    for name in ("a", "b", "c"):
        body = {"metadata": {"name": name, "namespace": "n"}, "spec": {"type": "NodePort", "ports": [{"port": 1}]}}
        service = with_generated_fields(store, SERVICE, set_defaults(SERVICE, body), None)
        taken.add((service["spec"]["clusterIP"], service["spec"]["ports"][0]["nodePort"]))
        store.put("services", service)
    assert len({address for address, _ in taken}) == len({port for _, port in taken}) == 3
