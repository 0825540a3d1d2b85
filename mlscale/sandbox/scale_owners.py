"""Field ownership through the ``scale`` subresource: it is kept in terms of a Scale and moved to and fro.

Source: apimachinery pkg/util/managedfields/scalehandler.go (v1.37.2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mlscale.sandbox.field_owners import Owned, Owner, Owners, entries_of, owners_of
from mlscale.sandbox.field_sets import at, difference, has

Json = dict[str, Any]

SCALE_VERSION = "autoscaling/v1"
_REPLICAS = ("f:spec", "f:replicas")


def scale_view(parent: Json) -> Json:
    """As much of the parent's Scale as ownership needs, with the owners of its replicas."""
    entries = entries_of(_scale_owners(owners_of(parent["metadata"].get("managedFields"))))
    metadata = {"name": parent["metadata"].get("name"), "uid": parent["metadata"].get("uid"), "managedFields": entries}
    replicas = (parent.get("spec") or {}).get("replicas") or 0
    return {"apiVersion": SCALE_VERSION, "kind": "Scale", "metadata": metadata, "spec": {"replicas": replicas}}


def parent_entries(parent: Json, scale: Json) -> list[Json]:
    """The managedFields of ``parent`` (as it was) after those of its Scale have become those of ``scale``.

    Who owns the replicas through the Scale now has an entry of its own, without a time; an updater keeps its name
    but loses the field in its former entry.
    """
    version = str(parent.get("apiVersion"))
    taking = owners_of(scale["metadata"].get("managedFields"))
    owners: Owners = {}
    for owner, owned in owners_of(parent["metadata"].get("managedFields")).items():
        if has(owned.fields, _REPLICAS) and taking.pop(owner, None) is None:
            owned = replace(owned, fields=difference(owned.fields, at(*_REPLICAS)))
        owners[owner] = owned
    for owner in taking:
        owners[owner] = Owned(at(*_REPLICAS), version, None)
    return entries_of(owners)


def _scale_owners(owners: Owners) -> Owners:
    return {
        _in_scale_terms(owner): Owned(at(*_REPLICAS), SCALE_VERSION, owned.time)
        for owner, owned in owners.items()
        if has(owned.fields, _REPLICAS)
    }


def _in_scale_terms(owner: Owner) -> Owner:
    return owner if owner.operation == "Apply" else replace(owner, api_version=SCALE_VERSION)
