"""The ``scale`` subresource: an ``autoscaling/v1 Scale`` made from a workload, and written back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.sandbox import preparation
from mlscale.sandbox.decoding import MismatchError, decode
from mlscale.sandbox.resources import SCALE
from mlscale.sandbox.statuses import Cause, StatusError, bad_request, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.kube.kinds import Kind

Json = dict[str, Any]


@dataclass(frozen=True)
class ScalePaths:
    """Where a custom resource keeps its scale, as its definition says: ``.spec.replicas`` and so on."""

    replicas: str = ".spec.replicas"
    status_replicas: str = ".status.replicas"
    selector: str = ""


def scale_of(obj: Json, paths: ScalePaths | None = None) -> Json:
    """The Scale of a workload; counts of zero are left out of its spec and shown in its status, as upstream does."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}
    if paths is None:
        replicas = obj["spec"].get("replicas", 1)
        status = {"replicas": obj.get("status", {}).get("replicas", 0)} | _selector(obj)
    else:
        replicas = value_at(obj, paths.replicas)
        if replicas is None:
            why = f'the spec replicas field "{paths.replicas}" does not exist'
            details = {"causes": [{"message": why}]}
            raise StatusError(500, "InternalError", f"Internal error occurred: {why}", details)
        status = {"replicas": value_at(obj, paths.status_replicas) or 0}
        if paths.selector and (selector := value_at(obj, paths.selector)):
            status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def scaled(kind: Kind, obj: Json, scale: Json, paths: ScalePaths | None = None) -> Json:
    """``obj`` with the replicas of ``scale``. Raises StatusError 400 for another kind, 422 for a negative count."""
    preparation.check_type(SCALE, scale)
    _check_form(scale)
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        raise _negative(kind, obj, replicas, paths)
    metadata = scale.get("metadata") or {}
    stated = {key: metadata[key] for key in ("name", "namespace", "uid") if key in metadata}
    ours = {key: value for key, value in obj["metadata"].items() if key not in ("name", "namespace")}
    obj = {**obj, "metadata": ours | stated}
    after = configured(obj, replicas, paths)
    if version := (scale.get("metadata") or {}).get("resourceVersion"):
        return {**after, "metadata": {**after["metadata"], "resourceVersion": version}}
    return {**after, "metadata": {k: v for k, v in after["metadata"].items() if k != "resourceVersion"}}


def configured(obj: Json, replicas: int, paths: ScalePaths | None = None) -> Json:
    """``obj`` with ``replicas`` where its kind keeps them, and all else as it is."""
    path = (paths.replicas if paths else ".spec.replicas").strip(".").split(".")
    return _with_value(obj, path, replicas)


def value_at(obj: Json, path: str) -> Any:
    """What ``obj`` holds at ``.status.selector``, say; None where it has nothing."""
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def selector_text(selector: Json) -> str:
    """A LabelSelector as requests write it: sorted by key, as ``a=b,c in (d,e),!f``."""
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        terms.append((expression["key"], _expression(expression)))
    return ",".join(text for _, text in sorted(terms))


def _check_form(scale: Json) -> None:
    try:
        decode({**scale, "kind": SCALE.kind, "apiVersion": SCALE.api_version})
    except MismatchError as error:
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {error}') from error


def _negative(kind: Kind, obj: Json, replicas: int, paths: ScalePaths | None) -> StatusError:
    name = obj["metadata"]["name"]
    if paths is not None:
        message = f"Invalid value: {replicas}: should be a non-negative integer"
        return invalid(kind, name, [Cause(paths.replicas, "FieldValueInvalid", message)])
    message = f"Invalid value: {replicas}: must be greater than or equal to 0"
    return invalid(SCALE, name, [Cause("spec.replicas", "FieldValueInvalid", message)])


def _selector(obj: Json) -> Json:
    selector: Mapping[str, Any] = obj["spec"].get("selector") or {}
    is_bare = obj["kind"] == "ReplicationController"
    text = selector_text({"matchLabels": selector} if is_bare else dict(selector))
    return {"selector": text} if text else {}


def _expression(expression: Json) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return f"!{key}" if operator == "DoesNotExist" else str(key)
    values = ",".join(sorted(expression.get("values") or ()))
    return f"{key} {operator.lower()} ({values})"


def _with_value(obj: Json, path: Sequence[str], value: Any) -> Json:
    first, *rest = path
    inner = _with_value(obj.get(first) or {}, rest, value) if rest else value
    return {**obj, first: inner}
