"""Sets of fields in the form of ``fieldsV1``, and what can be done with two of them.

A set is a tree: ``{"f:spec": {"f:replicas": {}}}``. A node without children is in the set; one with children is in
it when it holds ``"."``. Trees are never changed in place, so that results share what did not change.
Format: apimachinery pkg/apis/meta/v1 FieldsV1; operations: structured-merge-diff v6 fieldpath (Kubernetes v1.37.2).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Fields = dict[str, Any]
"""A tree; the empty dict as a whole tree is the empty set."""

SELF = "."
MEMBER: Fields = {}


def node(member: bool, children: Fields) -> Fields | None:
    """One node, or None where nothing is left of it."""
    if not children:
        return MEMBER if member else None
    return {SELF: MEMBER, **children} if member else children


def union(left: Fields, right: Fields) -> Fields:
    """What is in either."""
    return _joined(left, right) if left and right else left or right


def difference(left: Fields, right: Fields) -> Fields:
    """What is in ``left`` and not in ``right``."""
    return (_without(left, right) or {}) if left and right else left


def intersection(left: Fields, right: Fields) -> Fields:
    """What is in both."""
    return (_common(left, right) or {}) if left and right else {}


def without_subtrees(left: Fields, right: Fields) -> Fields:
    """``left`` without the members of ``right`` and all that lies under them."""
    children: Fields = {}
    for part, child in children_of(left):
        if part not in right:
            children[part] = child
        elif not is_member(right[part]):
            rest = node(is_member(child), without_subtrees(child, right[part]))
            children |= {} if rest is None else {part: rest}
    return children


def has(fields: Fields, path: tuple[str, ...]) -> bool:
    """Whether the set holds the path ``("f:spec", "f:replicas")``."""
    for part in path:
        if part not in fields:
            return False
        fields = fields[part]
    return is_member(fields)


def at(*path: str) -> Fields:
    """The set of the one path."""
    fields = MEMBER
    for part in reversed(path):
        fields = {part: fields}
    return fields


def is_member(fields: Fields) -> bool:
    """Whether a node is itself in the set."""
    return not fields or SELF in fields


def children_of(fields: Fields) -> Iterator[tuple[str, Fields]]:
    """The nodes under one."""
    return ((part, child) for part, child in fields.items() if part != SELF)


def in_order(fields: Fields) -> Fields:
    """The tree with the keys of each node as the server writes them."""
    return {part: in_order(fields[part]) if fields[part] else MEMBER for part in sorted(fields, key=_rank)}


def paths(fields: Fields, prefix: str = "") -> Iterator[str]:
    """The members as the server names them, ``.spec.containers[name="a"].image``: of each node first its own."""
    parts = sorted((part for part in fields if part != SELF), key=_rank)
    for part in parts:
        if is_member(fields[part]):
            yield prefix + spoken(part)
    for part in parts:
        yield from paths(fields[part], prefix + spoken(part))


def spoken(part: str) -> str:
    """One part of a path: ``.spec``, ``[name="a"]``, ``[="a"]``."""
    kind, text = part[0], part[2:]
    if kind == "f":
        return f".{text}"
    if kind == "v":
        return f"[={text}]"
    pairs = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in json.loads(text).items())
    return f"[{','.join(pairs)}]"


def _rank(part: str) -> tuple[str, list[tuple[str, bool, Any]], str]:
    if not part.startswith("k:"):
        return part[:1], [], part
    # Numbers by value: port 80 stands before port 443.
    return "k", [(key, isinstance(value, str), value) for key, value in json.loads(part[2:]).items()], ""


def _joined(left: Fields, right: Fields) -> Fields:
    if not left or not right:
        member_and = left or right
        return {SELF: MEMBER, **member_and} if member_and and SELF not in member_and else member_and
    result = dict(left)
    for part, child in right.items():
        result[part] = _joined(result[part], child) if part in result else child
    return result


def _without(left: Fields, right: Fields) -> Fields | None:
    children: Fields = {}
    for part, child in children_of(left):
        rest = _without(child, right[part]) if part in right else child
        if rest is not None:
            children[part] = rest
    return node(is_member(left) and not is_member(right), children)


def _common(left: Fields, right: Fields) -> Fields | None:
    children: Fields = {}
    for part, child in children_of(left):
        shared = _common(child, right[part]) if part in right else None
        if shared is not None:
            children[part] = shared
    return node(is_member(left) and is_member(right), children)
