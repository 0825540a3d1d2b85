"""Pods that keep others off their nodes: each rule with what it would be otherwise, and the index against the rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.neighbours import Neighbours, one_per_node
from mlscale.kube.placement import HOSTNAME

Json = dict[str, Any]


def _apart(topology: str = HOSTNAME, app: str = "web", **more: Any) -> Json:
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": {"app": app}}, **more}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def _template(spec: Json) -> Json:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [], **spec}}


def _port(**port: Any) -> Json:
    return {"name": "c", "ports": [port]}


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({}, ""),
        (_apart(), "podAntiAffinity"),
        (_apart(app="db"), ""),
        (_apart("topology.kubernetes.io/zone"), ""),
        (_apart(namespaces=["other"]), ""),
        (_apart(namespaces=["ns", "other"]), "podAntiAffinity"),
        (_apart(namespaceSelector={}), "podAntiAffinity"),
        ({"containers": [_port(hostPort=8080)]}, "hostPort 8080"),
        ({"containers": [_port(containerPort=8080)]}, ""),
        ({"containers": [_port(containerPort=8080)], "hostNetwork": True}, "hostPort 8080"),
        ({"initContainers": [_port(hostPort=8080)]}, ""),  # it is over before the next copy comes
        ({"initContainers": [{**_port(hostPort=8080), "restartPolicy": "Always"}]}, "hostPort 8080"),
    ],
)
def test_one_copy_per_node(spec: Json, rule: str) -> None:
    assert one_per_node("ns", _template(spec)) == rule


def _pod(namespace: str = "ns", app: str = "web", **spec: Any) -> Json:
    return {
        "metadata": {"namespace": namespace, "labels": {"app": app}},
        "spec": {"nodeName": "n", "containers": [], **spec},
    }


ON_8080: Json = {"containers": [_port(hostPort=8080)]}


@pytest.mark.parametrize(
    ("spec", "pod", "blocked"),
    [
        ({}, _pod(), False),
        (_apart(), _pod(), True),
        (_apart(), _pod(app="db"), False),
        (_apart(), _pod(namespace="other"), False),  # a term speaks of its own namespace
        (_apart(namespaceSelector={}), _pod(namespace="other"), True),
        ({}, _pod(app="db", **_apart()), True),  # the pod that is there keeps the copy away
        ({}, _pod(app="db", **_apart(app="db")), False),
        (ON_8080, _pod(**ON_8080), True),
        (ON_8080, _pod(containers=[_port(hostPort=8081)]), False),
        (ON_8080, _pod(containers=[_port(hostPort=8080, protocol="UDP")]), False),
        (ON_8080, _pod(containers=[_port(hostPort=8080, hostIP="10.0.0.1")]), True),
        (
            {"containers": [_port(hostPort=8080, hostIP="10.0.0.2")]},
            _pod(containers=[_port(hostPort=8080, hostIP="10.0.0.1")]),
            False,
        ),
    ],
)
def test_nodes_that_a_running_pod_blocks(spec: Json, pod: Json, blocked: bool) -> None:
    assert Neighbours([pod]).blocked_nodes("ns", _template(spec)) == (frozenset({"n"}) if blocked else frozenset())


APPS, SPACES = st.sampled_from(["a", "b"]), st.sampled_from(["ns", "other"])
TERMS = st.fixed_dictionaries(
    {"topologyKey": st.sampled_from([HOSTNAME, HOSTNAME, "zone"])},
    optional={
        "labelSelector": st.sampled_from(
            [
                {},
                {"matchLabels": {"app": "a"}},
                {"matchLabels": {"app": "b", "tier": "x"}},
                {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]},
                {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
            ]
        ),
        "namespaces": st.lists(SPACES, max_size=2),
        "namespaceSelector": st.sampled_from([{}, {"matchLabels": {"x": "y"}}]),
    },
)
PORTS = st.fixed_dictionaries(
    {"hostPort": st.sampled_from([80, 81])},
    optional={"protocol": st.sampled_from(["TCP", "UDP"]), "hostIP": st.sampled_from(["10.0.0.1", "10.0.0.2"])},
)
SPECS = st.builds(
    lambda terms, ports: {
        "containers": [{"name": "c", "ports": ports}],
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
    },
    st.lists(TERMS, max_size=2),
    st.lists(PORTS, max_size=1),
)
LABELS = st.fixed_dictionaries({"app": APPS}, optional={"tier": st.just("x")})


@given(
    SPECS,
    LABELS,
    st.lists(st.tuples(SPACES, LABELS, SPECS), max_size=6),
)
def test_many_pods_block_what_each_blocks(spec: Json, labels: Json, there: list[tuple[str, Json, Json]]) -> None:
    template = {"metadata": {"labels": labels}, "spec": spec}
    pods = [
        {"metadata": {"namespace": namespace, "labels": own}, "spec": {**theirs, "nodeName": f"n{number}"}}
        for number, (namespace, own, theirs) in enumerate(there)
    ]
    together = Neighbours(pods).blocked_nodes("ns", template)
    assert together == frozenset().union(*(Neighbours([pod]).blocked_nodes("ns", template) for pod in pods))


@given(SPECS, LABELS)
def test_a_copy_that_keeps_off_its_like_is_kept_off_by_it(spec: Json, labels: Json) -> None:
    template = {"metadata": {"labels": labels}, "spec": spec}
    copy = {"metadata": {"namespace": "ns", "labels": labels}, "spec": {**spec, "nodeName": "n"}}
    assert bool(Neighbours([copy]).blocked_nodes("ns", template)) is bool(one_per_node("ns", template))
