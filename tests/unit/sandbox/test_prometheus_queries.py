"""The queries of mlscale are told from all others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.prometheus_queries import recognised
from mlscale.usage.queries import QUERIES, query_text

PARAMETERS = {
    "namespace": "team-a",
    "window": "120s",
    "step": "60s",
    "range": "604800s",
    "names": "vllm:num_requests_waiting|DCGM_FI_DEV_GPU_UTIL",
    "metric": "vllm:num_requests_waiting",
    "count": "ts_inference_requests_total",
    "aggregate": "max",
}


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_is_known_with_its_parameters(name: str) -> None:
    wanted = set(re.findall(r"\$(\w+)", QUERIES[name].text))
    parameters = {key: value for key, value in PARAMETERS.items() if key in wanted}
    assert recognised(query_text(name, **parameters)) == (name, parameters)


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "time() ",
        query_text("cpu", namespace="a", window="120s") + " or up",
        query_text("cpu", namespace="a", window="120s").replace("rate(", "irate("),
        # The two sides of the ratio ask for different namespaces.
        query_text("throttled", namespace="a", step="60s").replace('namespace="a"', 'namespace="b"', 1),
        query_text("signal_gauge", namespace="a", metric="x", aggregate="sum").replace("sum", "stddev"),
    ],
)
def test_any_other_query_is_not(text: str) -> None:
    assert recognised(text) is None


@given(st.text())
def test_a_namespace_comes_back_as_it_was(namespace: str) -> None:
    text = query_text("memory", namespace=namespace, step="60s")
    assert recognised(text) == ("memory", {"namespace": namespace, "step": "60s"})
