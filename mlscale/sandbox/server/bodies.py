"""The body of a request as an object, without the fields that its kind does not have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox import schema
from mlscale.sandbox.decoding import MismatchError, decode
from mlscale.sandbox.go_json import read_json, repeated_fields
from mlscale.sandbox.patching import APPLY, JSON_PATCH
from mlscale.sandbox.resources import is_custom
from mlscale.sandbox.server.negotiation import JSON, YAML
from mlscale.sandbox.server.protobuf import PROTOBUF, decoded
from mlscale.sandbox.statuses import StatusError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.schema import Type

Json = dict[str, Any]

_SHOWN = 30
_GO_TYPES = {list: "array", str: "string", int: "number", float: "number", bool: "bool"}
_TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_DIRECTIVES = ("$patch", "$retainKeys")
_LIST_DIRECTIVES = ("$setElementOrder/", "$deleteFromPrimitiveList/")


def read_object(body: bytes, content_type: str, kind: Kind) -> Json:
    """The object that a create or update sends. Raises StatusError 400 and 415."""
    media_type = content_type.partition(";")[0].strip().lower() or JSON
    reader = _READERS.get(media_type)
    if reader is None:
        why = "the body of the request was in an unknown format - accepted media types include: "
        raise StatusError(415, "UnsupportedMediaType", why + ", ".join(_READERS))
    try:
        obj = reader(body)
    except ValueError as error:
        raise _unrecognized(kind, f"{_found(error)} ({_shown(body)})") from error
    if not isinstance(obj, dict):
        why = f"json: cannot unmarshal {_GO_TYPES.get(type(obj), 'null')} into Go value of type {_TYPE_META}"
        raise _unrecognized(kind, f"{_found(why)} ({_shown(body)})")
    return {"apiVersion": kind.api_version, "kind": kind.kind, **obj}


def read_patch(body: bytes, content_type: str) -> object:
    """What a patch sends: an object, or the operations of a JSON patch. Raises StatusError 400."""
    if content_type in APPLY:
        try:
            return _yaml(body)
        except ValueError as error:
            raise bad_request(f"error encoding patch: {error}") from error
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise bad_request("invalid JSON patch") from error
    if content_type == JSON_PATCH and not isinstance(patch, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type "
                          "[]handlers.jsonPatchOp")  # fmt: skip
    if content_type != JSON_PATCH and not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal array into Go value of type "
                          "map[string]interface {}")  # fmt: skip
    return patch


def read_delete_options(body: bytes, content_type: str) -> Json:
    """The DeleteOptions in the body of a deletion; none in an empty one. Raises StatusError 400."""
    if not body:
        return {}
    try:
        options = _READERS.get(content_type, read_json)(body)
    except ValueError as error:
        raise bad_request(_found(error)) from error
    if not isinstance(options, dict):
        raise bad_request(_found("an object is wanted"))
    if options.get("kind") not in (None, "", "DeleteOptions"):
        version = options.get("apiVersion", "")
        raise bad_request(f'no kind "{options["kind"]}" is registered for version "{version}" in scheme '
                          '"pkg/runtime/scheme.go:111"')  # fmt: skip
    return options


def repeated(body: bytes, content_type: str) -> tuple[str, ...]:
    """The paths of the fields that a JSON body, which can be read, has more than once."""
    return repeated_fields(body) if content_type.partition(";")[0].strip().lower() in ("", JSON) else ()


def known_fields(obj: Json, kind: Kind, validation: str, twice: Sequence[str] = ()) -> tuple[Json, tuple[str, ...]]:
    """``obj`` without the fields that ``kind`` does not have, and a warning for each, and for those in ``twice``.

    Raises StatusError 400 for a value of the wrong type, and where ``validation`` is Strict for such a field.
    """
    refused = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
    try:
        known = decode(obj)
    except MismatchError as error:
        raise bad_request(f"{refused}{error}") from error
    said = [f'duplicate field "{path}"' for path in twice] + [f'unknown field "{path}"' for path in known.unknown]
    if said and validation == "Strict":
        raise bad_request(f"{refused}strict decoding error: {', '.join(said)}")
    return known.object, tuple(said) if validation == "Warn" else ()


def known_patch_fields(patch: Json, kind: Kind, validation: str) -> tuple[Json, tuple[str, ...]]:
    """As ``known_fields`` for a merge patch; 422 where Strict. A JSON patch and an applied one are not for this.

    A custom resource keeps all: its schema is not enforced here.
    """
    if is_custom(kind):
        return patch, ()
    unknown: list[str] = []
    pruned: Json = _known(patch, schema.object_type(kind.api_version, kind.kind), "", unknown)
    if unknown and validation == "Strict":
        said = ", ".join(f'unknown field "{path}"' for path in unknown)
        why = f"Invalid value: {json.dumps(json.dumps(patch))}: strict decoding error: {said}"
        details = {"causes": [{"reason": "FieldValueInvalid", "message": why, "field": "patch"}]}
        raise StatusError(422, "Invalid", f' "" is invalid: patch: {why}', details)
    return pruned, _warnings(unknown, validation)


def _warnings(unknown: Sequence[str], validation: str) -> tuple[str, ...]:
    return tuple(f'unknown field "{path}"' for path in unknown) if validation == "Warn" else ()


def _known(value: Any, type_: Type, path: str, unknown: list[str]) -> Any:
    if isinstance(value, list) and type_.shape == "list":
        element = type_.element or schema.UNTYPED
        return [_known(item, element, f"{path}[{place}]", unknown) for place, item in enumerate(value)]
    if not isinstance(value, dict) or type_.shape not in ("struct", "map"):
        return value
    known = {}
    for name, inner in value.items():
        inner_path = f"{path}.{name}" if path else name
        field = schema.UNTYPED if _is_directive(name) else type_.field(name)
        if field is None:
            unknown.append(inner_path)
        else:
            known[name] = _known(inner, field, inner_path, unknown)
    return known


def _is_directive(name: str) -> bool:
    """Of a strategic merge patch: no field of the object."""
    return name in _DIRECTIVES or name.startswith(_LIST_DIRECTIVES)


def _yaml(body: bytes) -> Any:
    from mlscale.sandbox.server.go_yaml import read_yaml

    return read_yaml(body)


_READERS: dict[str, Callable[[bytes], Any]] = {JSON: read_json, YAML: _yaml, PROTOBUF: decoded}


def _found(error: object) -> str:
    """JSON is looked through for the kind first, YAML is made JSON before."""
    text = str(error)
    return text if text.startswith("yaml: ") else f"couldn't get version/kind; json parse error: {text}"


def _unrecognized(kind: Kind, why: str) -> StatusError:
    return bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {why}")


def _shown(body: bytes) -> str:
    """As apiserver pkg/endpoints/handlers/rest.go summarizeData: an object in the clear, anything else in hex."""
    rest = " ..." if len(body) > _SHOWN else ""
    if body.startswith(b"{"):
        return body[:_SHOWN].decode(errors="replace") + rest
    return body[:_SHOWN].hex() + rest if body else "<empty>"
