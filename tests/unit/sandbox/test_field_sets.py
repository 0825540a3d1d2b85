"""Sets of fields obey the laws of sets, and are written as a real API server writes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.field_sets import (
    Fields,
    at,
    difference,
    has,
    in_order,
    intersection,
    paths,
    union,
    without_subtrees,
)

Path = tuple[str, ...]
PATHS = st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"']), min_size=1, max_size=3).map(tuple)
SETS = st.frozensets(PATHS, max_size=6)


def tree(members: frozenset[Path]) -> Fields:
    fields: Fields = {}
    for path in members:
        fields = union(fields, at(*path))
    return fields


def members(fields: Fields, prefix: Path = ()) -> frozenset[Path]:
    found = {prefix} if prefix and (not fields or "." in fields) else set()
    inner = (members(child, (*prefix, part)) for part, child in fields.items() if part != ".")
    return frozenset(found).union(*inner)


@given(SETS, SETS)
def test_trees_are_sets_of_paths(left: frozenset[Path], right: frozenset[Path]) -> None:
    assert members(tree(left)) == left
    assert members(union(tree(left), tree(right))) == left | right
    assert members(difference(tree(left), tree(right))) == left - right
    assert members(intersection(tree(left), tree(right))) == left & right
    assert all(has(tree(left), path) for path in left)
    assert not any(has(tree(left), path) for path in right - left)


@given(SETS, SETS)
def test_what_lies_under_an_ignored_field_goes_with_it(left: frozenset[Path], ignored: frozenset[Path]) -> None:
    under = {path for path in left if any(path[: len(root)] == root for root in ignored)}
    assert members(without_subtrees(tree(left), tree(ignored))) == left - under


@given(SETS, SETS)
def test_a_set_is_left_as_it_was(left: frozenset[Path], right: frozenset[Path]) -> None:
    fields = tree(left)
    for operation in (union, difference, intersection, without_subtrees):
        operation(fields, tree(right))
    assert members(fields) == left


def test_ports_are_ordered_by_number() -> None:
    ports: Fields = {f'k:{{"containerPort":{port}}}': {} for port in (443, 80)}
    assert list(in_order({"f:z": {}, **ports, ".": {}, "f:a": {}})) == [
        ".", "f:a", "f:z", 'k:{"containerPort":80}', 'k:{"containerPort":443}',
    ]  # fmt: skip


def test_paths_name_first_what_is_nearer() -> None:
    owned: Fields = {"f:spec": {"f:list": {'k:{"name":"a","port":80}': {".": {}, "f:x": {}}, 'v:"s"': {}}, "f:z": {}}}
    assert list(paths(owned)) == [
        ".spec.z", '.spec.list[name="a",port=80]', '.spec.list[="s"]', '.spec.list[name="a",port=80].x',
    ]  # fmt: skip
