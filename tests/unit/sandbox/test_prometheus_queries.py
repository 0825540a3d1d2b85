"""The queries of mlscale are told from all others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.prometheus_queries import Recognised, recognised
from mlscale.usage.queries import QUERIES, query_text

PARAMETERS = {
    "window": "120s",
    "step": "60s",
    "range": "604800s",
    "names": "vllm:num_requests_waiting|DCGM_FI_DEV_GPU_UTIL",
    "metric": "vllm:num_requests_waiting",
    "count": "ts_inference_requests_total",
    "aggregate": "max",
}


@pytest.mark.parametrize("name", sorted(set(QUERIES) - {"time"}))
@pytest.mark.parametrize("namespaces", [("team-a",), ("team-a", "team-b", "c.d")])
def test_each_query_is_known_with_its_parameters(name: str, namespaces: tuple[str, ...]) -> None:
    wanted = set(re.findall(r"\$(\w+)", QUERIES[name].text))
    parameters = {key: value for key, value in PARAMETERS.items() if key in wanted}
    found = recognised(query_text(name, namespaces, **parameters))
    assert found == Recognised(name, parameters, namespaces, of_several=len(namespaces) > 1)


def test_the_clock_is_of_no_namespace() -> None:
    assert recognised("time()") == Recognised("time", {})


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "time() ",
        query_text("cpu", ["a"], window="120s") + " or up",
        query_text("cpu", ["a"], window="120s").replace("rate(", "irate("),
        # The two sides of the ratio ask for different namespaces.
        query_text("throttled", ["a"], step="60s").replace('namespace="a"', 'namespace="b"', 1),
        query_text("signal_gauge", ["a"], metric="x", aggregate="sum").replace("sum", "stddev"),
        # An expression of more than names.
        query_text("cpu", ["a", "b"], window="120s").replace("a|b", "a.*"),
        query_text("cpu", ["a", "b"], window="120s").replace("a|b", "(a|b)"),
        # The form of several namespaces for one, and the other way round.
        query_text("restarts", ["a"], range="60s").replace("by (", "by (namespace, "),
        query_text("restarts", ["a", "b"], range="60s").replace("namespace, ", ""),
    ],
)
def test_any_other_query_is_not(text: str) -> None:
    assert recognised(text) is None


@given(st.lists(st.text(), min_size=1))
def test_namespaces_come_back_as_they_were(namespaces: list[str]) -> None:
    if len(namespaces) > 1:
        namespaces = [name or "x" for name in namespaces]
    found = recognised(query_text("memory", namespaces, step="60s"))
    several = len(namespaces) > 1
    assert found == Recognised("memory", {"step": "60s"}, tuple(namespaces), of_several=several)
