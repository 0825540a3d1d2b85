"""The PromQL texts: what they hold and what they do not."""

from __future__ import annotations

import re
from string import Template

import pytest

from mlscale.usage.queries import QUERIES, cpu_series, duration, of_pods, query_text

PARAMETERS = {
    "window": "120s",
    "step": "600s",
    "range": "3600s",
    "names": "a|b",
    "metric": "a",
    "count": "b",
    "aggregate": "sum",
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_text_is_balanced_and_of_one_namespace(name: str) -> None:
    text = query_text(name, ["shop"], **PARAMETERS)
    assert "$" not in text
    assert [text.count(c) for c in "({["] == [text.count(c) for c in ")}]"]
    selectors = re.findall(r"\{(?!\{)[^}]*\}", text)
    assert all('namespace="shop"' in selector for selector in selectors)
    assert bool(selectors) == (name != "time")


def test_cpu_leaves_out_the_cgroup_of_the_pod_and_its_sandbox() -> None:
    assert query_text("cpu", ["shop"], window="120s") == (
        'rate(container_cpu_usage_seconds_total{namespace="shop",container!="",container!="POD"}[120s])'
    )


def test_owners_are_asked_over_the_range_and_not_fetched_raw() -> None:
    assert query_text("pod_owners", ["shop"], range="604800s") == (
        'max by (pod, owner_kind, owner_name) (last_over_time(kube_pod_owner{namespace="shop"}[604800s]))'
    )


def test_a_namespace_cannot_leave_its_string() -> None:
    text = query_text("pod_owners", ['a"} or vector(1) #\n\\'], range="1s")
    assert '{namespace="a\\"} or vector(1) #\\n\\\\"}' in text


@pytest.mark.parametrize("name", sorted(set(QUERIES) - {"time"}))
def test_about_several_namespaces_each_series_keeps_its_own(name: str) -> None:
    text = query_text(name, ["shop", "bank"], **PARAMETERS)
    label = "exported_namespace" if "exported" in name else "namespace"
    selectors = re.findall(r"\{(?!\{)[^}]*\}", text)
    assert all(re.search(rf'[{{,]{label}=~"shop\|bank"[,}}]', selector) for selector in selectors)
    # No aggregation is without it.
    aggregations = re.findall(r"\b(?:sum|max|min|avg|count)\b(?: by \(([^)]*)\))? ?\(", text)
    assert all(label in by.split(", ") for by in aggregations)


def test_names_of_several_namespaces_are_no_expressions() -> None:
    text = query_text("restarts", ["a.b", "c|d", 'e"', "f"], range="60s")
    assert r'namespace=~"a\\.b|c\\|d|e\"|f"' in text


def test_a_missing_parameter_is_an_error_and_not_an_empty_text() -> None:
    with pytest.raises(KeyError):
        query_text("cpu", ["shop"])


@pytest.mark.parametrize(("seconds", "written"), [(240.0, "240s"), (59.6, "60s"), (0.2, "1s"), (604800, "604800s")])
def test_durations(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_every_placeholder_is_known() -> None:
    named = {name for query in QUERIES.values() for name in Template(query.text).get_identifiers()}
    assert named == {*PARAMETERS, "namespace"}


def test_a_query_of_some_pods() -> None:
    text = query_text("memory", ["shop"], step="600s")
    assert of_pods(text, ["web-1", "web.2"]) == (
        'max_over_time(container_memory_working_set_bytes{namespace="shop",container!="",container!="POD",'
        'pod=~"web-1|web[.]2"}[600s])'
    )


@pytest.mark.parametrize("name", ["", 'a"b', "a|b", "a\n", "A", "-a"])
def test_what_is_no_pod_is_not_put_into_a_query(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  it has no words of its own
        of_pods(query_text("cpu", ["shop"], window="120s"), ["web-1", name])


def test_the_series_of_the_cpu_query() -> None:
    assert cpu_series("shop") in query_text("cpu", ["shop"], window="120s")
