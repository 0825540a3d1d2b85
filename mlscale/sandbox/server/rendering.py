"""Objects in the form that a client asked for, as bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.server.negotiation import YAML, Form
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.tables import render_table

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.resources import Resource

Json = dict[str, Any]


def shaped(obj: Json, resource: Resource | None, form: Form, now: datetime, include_object: str = "") -> Json:
    """``obj`` (an object or a list) as a Table or as metadata only where ``form`` says so; a Status stays as it is.

    ``resource`` None means an object that is of no resource, and stays too. Raises StatusError 400 and 406.
    """
    if resource is None or obj.get("kind") == "Status" or form.shape in ("", "APIGroupDiscoveryList"):
        return obj
    is_list = "items" in obj and "metadata" in obj
    if form.shape == "Table":
        table = _table(obj, resource, now, include_object, is_list=is_list)
        return {**table, "apiVersion": f"meta.k8s.io/{form.version}"}
    if is_list != (form.shape == "PartialObjectMetadataList"):
        what = "is a list" if is_list else "is not a list"
        why = f"you requested {form.shape}, but the requested object {what} (*{obj.get('kind')})"
        raise StatusError(406, "NotAcceptable", why)
    return _partial_list(obj, form.version) if is_list else partial(obj, form.version)


def partial(obj: Json, version: str = "v1") -> Json:
    """The metadata of an object."""
    typed = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}"}
    return {**typed, "metadata": obj["metadata"]}


def encoded(obj: Json, form: Form) -> bytes:
    """As JSON in one line, or for people in several; or as YAML."""
    if form.media_type == YAML:
        import yaml

        text: str = yaml.safe_dump(obj, default_flow_style=False, allow_unicode=True)
        return text.encode()
    if form.pretty:
        return json.dumps(obj, indent=2, ensure_ascii=False).encode()
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _table(obj: Json, resource: Resource, now: datetime, include_object: str, *, is_list: bool) -> Json:
    objects = obj["items"] if is_list else [obj]
    list_metadata = obj["metadata"] if is_list else None
    return render_table(resource, objects, now, include_object=include_object, list_metadata=list_metadata)


def _partial_list(obj: Json, version: str) -> Json:
    items = [partial(item, version) for item in obj["items"]]
    typed = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}"}
    return {**typed, "metadata": obj["metadata"], "items": items}
