"""What an index finds is what the rule finds, in the same order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.label_index import LabelIndex, SelectorIndex
from mlscale.kube.placement import matches_labels

Json = dict[str, Any]

KEYS, VALUES = st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b", ""])
LABELS = st.dictionaries(KEYS, VALUES)
EXPRESSIONS = st.fixed_dictionaries(
    {"key": KEYS, "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"])},
    optional={"values": st.lists(VALUES)},
)
SELECTORS = st.none() | st.fixed_dictionaries(
    {}, optional={"matchLabels": st.none() | LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)


@given(st.lists(LABELS, max_size=8), SELECTORS)
def test_items_by_labels(labels: list[Json], selector: Json | None) -> None:
    index = LabelIndex(zip(labels, range(len(labels)), strict=True))
    assert index.selected(selector) == [i for i, own in enumerate(labels) if matches_labels(selector, own)]


@given(st.lists(SELECTORS, max_size=8), LABELS)
def test_items_by_selector(selectors: list[Json | None], labels: Json) -> None:
    index = SelectorIndex(zip(selectors, range(len(selectors)), strict=True))
    assert index.selecting(labels) == [i for i, selector in enumerate(selectors) if matches_labels(selector, labels)]


@pytest.mark.parametrize("value", [["a"], {"a": "b"}, 1, None])
def test_a_value_that_no_label_has_selects_nothing(value: object) -> None:
    selector = {"matchLabels": {"app": value}}
    assert LabelIndex([({"app": "a"}, 0)]).selected(selector) == []
    assert SelectorIndex([(selector, 0)]).selecting({"app": "a"}) == []
