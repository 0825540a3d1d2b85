"""Which nodes a pod may go to: each rule of the scheduler with what it would be otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.placement import (
    HOSTNAME,
    eligible_nodes,
    matches_labels,
    matches_node_affinity,
    tolerates,
    unmodelled_rules,
)

Json = dict[str, Any]


def _node(name: str = "n", labels: Json | None = None, **spec: Any) -> Json:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}


def _taint(key: str = "gpu", value: str = "yes", effect: str = "NoSchedule") -> Json:
    return {"key": key, "value": value, "effect": effect}


GPU = {"key": "gpu", "value": "yes"}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({**GPU, "operator": "Equal", "effect": "NoSchedule"}, True),
        ({**GPU}, True),  # no operator is Equal, no effect is every effect
        ({**GPU, "effect": "NoExecute"}, False),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu", "operator": "Exists"}, True),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Exists"}, True),  # no key is every taint
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "gpu"}, False),  # Equal to the empty value
        ({"key": "gpu", "operator": "Gt", "value": "1"}, False),
    ],
)
def test_tolerations(toleration: Json, tolerated: bool) -> None:
    assert tolerates([toleration], _taint()) is tolerated


def test_a_taint_without_a_value_equals_an_empty_value() -> None:
    assert tolerates([{"key": "gpu", "operator": "Equal"}], {"key": "gpu", "effect": "NoSchedule"})


@pytest.mark.parametrize(
    ("spec", "node", "clause"),
    [
        ({}, _node(), None),
        ({}, _node(taints=[_taint()]), "taint gpu=yes:NoSchedule is not tolerated"),
        ({}, _node(taints=[_taint(value="", effect="NoExecute")]), "taint gpu:NoExecute is not tolerated"),
        # PreferNoSchedule only lowers a node's score.
        ({}, _node(taints=[_taint(effect="PreferNoSchedule")]), None),
        ({"tolerations": [GPU]}, _node(taints=[_taint()]), None),
        ({"tolerations": [GPU]}, _node(taints=[_taint(), _taint("db")]), "taint db=yes:NoSchedule is not tolerated"),
        ({}, _node(unschedulable=True), "cordoned"),
        ({"tolerations": [{"operator": "Exists"}]}, _node(unschedulable=True), None),
        ({"tolerations": [GPU]}, _node(unschedulable=True), "cordoned"),
        ({"nodeSelector": {"zone": "a"}}, _node(labels={"zone": "a", "x": "y"}), None),
        ({"nodeSelector": {"zone": "a"}}, _node(labels={"zone": "b"}), "nodeSelector zone=a does not match"),
        ({"nodeSelector": {"zone": "a"}}, _node(), "nodeSelector zone=a does not match"),
        ({"nodeName": "n"}, _node(), None),
        ({"nodeName": "m"}, _node(), "not the node m of nodeName"),
        # A pod with nodeName never meets the scheduler, so taints of scheduling do not stop it.
        ({"nodeName": "n"}, _node(taints=[_taint()], unschedulable=True), None),
    ],
)
def test_eligibility(spec: Json, node: Json, clause: str | None) -> None:
    eligibility = eligible_nodes(spec, [node])
    assert eligibility.rejected == (((clause, 1),) if clause else ())
    assert eligibility.nodes == (() if clause else (node,))


def test_a_node_that_is_not_ready_is_out_once_by_its_taint() -> None:
    node = _node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}])
    node["status"] = {"conditions": [{"type": "Ready", "status": "False"}]}
    rejected = (("taint node.kubernetes.io/not-ready:NoSchedule is not tolerated", 1),)
    assert eligible_nodes({}, [node]).rejected == rejected


def test_reasons_come_with_the_most_nodes_first() -> None:
    nodes = [_node("a", unschedulable=True), _node("b", taints=[_taint()]), _node("c", taints=[_taint()])]
    rejected = (("taint gpu=yes:NoSchedule is not tolerated", 2), ("cordoned", 1))
    assert eligible_nodes({}, nodes).rejected == rejected


def _affine(*terms: Json) -> Json:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": required}}


def _expression(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": list(values)}


def _term(*expressions: Json) -> Json:
    return {"matchExpressions": list(expressions)}


LABELLED = _node("n1", {"zone": "a", "gpus": "8", "word": "x"})


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        (_term(_expression("zone", "In", "a", "b")), True),
        (_term(_expression("zone", "In", "b")), False),
        (_term(_expression("rack", "In", "a")), False),
        (_term(_expression("zone", "NotIn", "b")), True),
        (_term(_expression("zone", "NotIn", "a")), False),
        (_term(_expression("rack", "NotIn", "a")), True),  # a node without the label is not in
        (_term(_expression("zone", "Exists")), True),
        (_term(_expression("rack", "Exists")), False),
        (_term(_expression("rack", "DoesNotExist")), True),
        (_term(_expression("zone", "DoesNotExist")), False),
        (_term(_expression("gpus", "Gt", "7")), True),
        (_term(_expression("gpus", "Gt", "8")), False),
        (_term(_expression("gpus", "Gt", "10")), False),  # as numbers: as text "8" > "10"
        (_term(_expression("gpus", "Lt", "9")), True),
        (_term(_expression("gpus", "Lt", "8")), False),
        (_term(_expression("word", "Gt", "1")), False),
        (_term(_expression("rack", "Lt", "1")), False),
        (_term(_expression("zone", "Near", "a")), False),
        (_term(_expression("zone", "In", "a"), _expression("gpus", "Gt", "8")), False),  # within a term: all
        ({"matchFields": [_expression("metadata.name", "In", "n1")]}, True),
        ({"matchFields": [_expression("metadata.name", "NotIn", "n1")]}, False),
        ({}, False),  # an empty term selects nothing
    ],
)
def test_required_node_affinity(term: Json, matches: bool) -> None:
    assert matches_node_affinity(_affine(term), LABELLED) is matches
    assert bool(eligible_nodes(_affine(term), [LABELLED]).nodes) is matches


def test_terms_are_ored_and_no_terms_select_nothing() -> None:
    other, this = _term(_expression("zone", "In", "b")), _term(_expression("zone", "In", "a"))
    assert matches_node_affinity(_affine(other, this), LABELLED)
    assert not matches_node_affinity(_affine(), LABELLED)
    assert matches_node_affinity({"affinity": {"nodeAffinity": {}}}, LABELLED)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "db"}}, False),
        ({"matchExpressions": [_expression("app", "In", "web")]}, True),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [_expression("app", "DoesNotExist")]}, False),
    ],
)
def test_label_selectors(selector: Json | None, matches: bool) -> None:
    assert matches_labels(selector, {"app": "web"}) is matches


def _apart(topology: str = HOSTNAME, app: str = "web", **more: Any) -> Json:
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


PERSISTENT = {"name": "v", "persistentVolumeClaim": {"claimName": "v"}}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
NEAR = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": HOSTNAME}]}}


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, ()),
        ({"topologySpreadConstraints": [SPREAD]}, ("topologySpreadConstraints",)),
        ({"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}]}, ()),
        ({"volumes": [PERSISTENT]}, ("volumes",)),
        ({"volumes": [{"name": "v", "emptyDir": {}}]}, ()),
        ({"affinity": NEAR}, ("podAffinity",)),
        (_apart(), ()),
        (_apart("topology.kubernetes.io/zone"), ("podAntiAffinity",)),
        (_apart(matchLabelKeys=["pod-template-hash"]), ("podAntiAffinity",)),
        ({"resourceClaims": [{"name": "gpu"}]}, ("resourceClaims",)),
        ({"schedulingGates": [{"name": "wait"}]}, ("schedulingGates",)),
        ({"runtimeClassName": "kata"}, ("runtimeClassName",)),
        ({"runtimeClassName": "kata", "overhead": {"cpu": "1"}}, ()),
        ({"priorityClassName": "high"}, ("preemption by priorityClassName",)),
        ({"priorityClassName": "high", "preemptionPolicy": "Never"}, ()),
        ({"schedulerName": "volcano"}, ("schedulerName",)),
        ({"schedulerName": "default-scheduler"}, ()),
    ],
)  # fmt: skip
def test_rules_that_are_not_considered_are_named(spec: Json, names: tuple[str, ...]) -> None:
    assert unmodelled_rules(spec) == names


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), st.sampled_from(["a", "b", "c"]))
def test_in_and_not_in_are_opposites(values: list[str], zone: str) -> None:
    node = _node(labels={"zone": zone})
    inside = matches_node_affinity(_affine(_term(_expression("zone", "In", *values))), node)
    outside = matches_node_affinity(_affine(_term(_expression("zone", "NotIn", *values))), node)
    assert inside is not outside
