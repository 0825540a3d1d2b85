"""The entries of ``metadata.managedFields`` as values: who owns which fields, and since when.

Sources: apimachinery pkg/util/managedfields/internal managedfields.go, capmanagers.go (v1.37.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mlscale.sandbox.field_sets import Fields, in_order, union

Json = dict[str, Any]

MAX_UPDATERS = 10
"""Update entries that are kept apart; the oldest beyond them become one of ``ancient-changes``."""


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """Who owns fields. For an applier the version is no part of who it is, and empty."""

    name: str
    operation: str
    api_version: str
    subresource: str

    def spoken(self) -> str:
        """As a conflict names it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Owned:
    """What an owner has, in terms of which version of the kind, and when it last wrote."""

    fields: Fields
    api_version: str
    time: str | None


Owners = dict[Owner, Owned]


def owners_of(entries: list[Json] | None) -> Owners:
    """``metadata.managedFields`` as a mapping."""
    owners: Owners = {}
    for entry in entries or ():
        version = str(entry.get("apiVersion", ""))
        owner = owner_named(entry.get("manager", ""), entry.get("operation", ""), version, entry.get("subresource", ""))
        owners[owner] = Owned(entry.get("fieldsV1") or {}, version, entry.get("time"))
    return owners


def owner_named(name: str, operation: str, api_version: str, subresource: str) -> Owner:
    """The owner of one operation."""
    return Owner(name, operation, "" if operation == "Apply" else api_version, subresource)


def entries_of(owners: Owners) -> list[Json]:
    """The mapping as ``metadata.managedFields``: appliers first, then by time."""
    ordered = sorted(owners.items(), key=_place)
    return [_entry(owner, owned) for owner, owned in ordered if owned.fields]


def capped(owners: Owners) -> Owners:
    """``owners`` with the oldest updaters of one version joined into ``ancient-changes`` until 10 are left."""
    updaters = sorted((owner for owner in owners if owner.operation == "Update"), key=_age(owners))
    excess = len(updaters) - MAX_UPDATERS
    result, first = dict(owners), {}
    for owner in updaters:
        if excess <= 0:
            break
        version = owners[owner].api_version
        if version not in first:
            first[version] = owner
            continue
        bucket = Owner("ancient-changes", "Update", version, "")
        if bucket not in result:
            result[bucket] = result.pop(first[version])
        merged, own = result[bucket], result.pop(owner)
        result[bucket] = replace(own, fields=union(merged.fields, own.fields))
        excess -= 1
    return result


def _age(owners: Owners) -> Any:
    return lambda owner: (owners[owner].time or "", owner)


def _place(item: tuple[Owner, Owned]) -> tuple[str, str, str, str, str]:
    owner, owned = item
    return owner.operation, owned.time or "", owner.name, owned.api_version, owner.subresource


def _entry(owner: Owner, owned: Owned) -> Json:
    entry: Json = {"manager": owner.name, "operation": owner.operation, "apiVersion": owned.api_version}
    if owned.time is not None:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": in_order(owned.fields)}
    if owner.subresource:
        entry["subresource"] = owner.subresource
    return entry
