"""What is wrong with metadata, labels and selectors.

The rules are those of apimachinery pkg/api/validation/objectmeta.go and pkg/apis/meta/v1/validation, v1.37.2.
Where Go walks a map in random order, this goes by key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import each_invalid, forbidden, invalid, required, too_long, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_MOST_ANNOTATIONS = 256 * 1024
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_NEEDS_VALUES = ("In", "NotIn")
_TAKES_NO_VALUES = ("Exists", "DoesNotExist")


def metadata_causes(
    metadata: Json, before: Json | None, form: Callable[[str], list[str]], *, namespaced: bool = True
) -> Iterator[Cause]:
    """What is wrong with ``metadata``; ``form`` judges the name of a new object."""
    if before is None:
        yield from _name(metadata, form)
        if namespaced:
            yield from _namespace(metadata.get("namespace") or "")
    else:
        for key in ("name", "namespace"):
            yield from unchanged(f"metadata.{key}", metadata.get(key) or "", before.get(key) or "")
    yield from label_causes("metadata.labels", metadata.get("labels"))
    yield from annotation_causes("metadata.annotations", metadata.get("annotations"))
    yield from _owners("metadata.ownerReferences", metadata.get("ownerReferences") or [])
    if before is None:
        yield from _finalizers("metadata.finalizers", metadata.get("finalizers") or [])


def label_causes(path: str, labels: Json | None) -> Iterator[Cause]:
    """Each key a qualified name, each value a label value."""
    for key, value in sorted((labels or {}).items()):
        yield from each_invalid(path, key, formats.label_key(key))
        yield from each_invalid(path, value, formats.label_value(value))


def annotation_causes(path: str, annotations: Json | None) -> Iterator[Cause]:
    """Each key a qualified name in any case, all together at most 256 KiB."""
    size = 0
    for key, value in sorted((annotations or {}).items()):
        yield from each_invalid(path, key, formats.label_key(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > _MOST_ANNOTATIONS:
        yield too_long(path, _MOST_ANNOTATIONS)


def selector_causes(path: str, selector: Json | None) -> Iterator[Cause]:
    """A LabelSelector: labels and expressions in their form."""
    selector = selector or {}
    yield from label_causes(f"{path}.matchLabels", selector.get("matchLabels"))
    for index, expression in enumerate(selector.get("matchExpressions") or []):
        yield from _requirement(f"{path}.matchExpressions[{index}]", expression)


def is_selector(selector: Json | None) -> bool:
    """Whether a LabelSelector can be used at all: known operators, keys and values in their form."""
    return not list(selector_causes("", selector))


def selector_matches(selector: Json | None, labels: Json | None) -> bool:
    """Whether ``labels`` satisfy a LabelSelector; an absent one matches nothing, an empty one everything."""
    if selector is None:
        return False
    labels = labels or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_satisfies(expression, labels) for expression in selector.get("matchExpressions") or [])


def _satisfies(expression: Json, labels: Json) -> bool:
    operator, key = str(expression.get("operator")), str(expression.get("key"))
    listed = labels.get(key) in (expression.get("values") or [])
    return {"In": listed, "NotIn": not listed, "Exists": key in labels, "DoesNotExist": key not in labels}[operator]


def _requirement(path: str, expression: Json) -> Iterator[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    if operator in _NEEDS_VALUES:
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in _TAKES_NO_VALUES:
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    key = expression.get("key") or ""
    yield from each_invalid(f"{path}.key", key, formats.label_key(key))
    for index, value in enumerate(values):
        yield from each_invalid(f"{path}.values[{index}]", value, formats.label_value(value))


def _name(metadata: Json, form: Callable[[str], list[str]]) -> Iterator[Cause]:
    prefix, name = metadata.get("generateName") or "", metadata.get("name") or ""
    if prefix:
        yield from each_invalid("metadata.generateName", prefix, form(_as_prefix(prefix)))
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from each_invalid("metadata.name", name, form(name))


def _as_prefix(prefix: str) -> str:
    """As upstream's maskTrailingDash: what follows the dash makes the name right."""
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _namespace(namespace: str) -> Iterator[Cause]:
    if not namespace:
        yield required("metadata.namespace")
    else:
        yield from each_invalid("metadata.namespace", namespace, formats.dns_label(namespace))


def _owners(path: str, owners: list[Json]) -> Iterator[Cause]:
    controller = ""
    for index, owner in enumerate(owners):
        yield from _owner(f"{path}[{index}]", owner)
        if owner.get("controller"):
            named = f"{owner.get('kind')}/{owner.get('name')}"
            if controller:
                words = "Only one reference can have Controller set to true. "
                words += f'Found "true" in references for {controller} and {named}'
                yield invalid(path, owners, words)
            else:
                controller = named


def _owner(path: str, owner: Json) -> Iterator[Cause]:
    for key in ("apiVersion", "kind", "name", "uid"):
        value = owner.get(key) or ""
        if not value:
            yield required(f"{path}.{key}", "must not be empty")
        elif key == "apiVersion" and value.count("/") > 1:
            yield invalid(f"{path}.{key}", value, "must be <group>/<version> or <version>")


def _finalizers(path: str, finalizers: list[str]) -> Iterator[Cause]:
    for finalizer in finalizers:
        yield from each_invalid(path, finalizer, formats.label_key(finalizer))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            words = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(f"{path}[{index}]", finalizer, words)
