"""Field ownership: what an update records in ``metadata.managedFields``, and server-side apply.

Rules: apimachinery pkg/util/managedfields/internal and structured-merge-diff v6 merge/update.go (v1.37.2).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mlscale.sandbox import applying
from mlscale.sandbox.comparison import Comparison, compare, field_set
from mlscale.sandbox.field_owners import Owned, Owner, Owners, capped, entries_of, owner_named, owners_of
from mlscale.sandbox.field_sets import Fields, difference, intersection, paths, union, without_subtrees
from mlscale.sandbox.scale_owners import SCALE_VERSION, parent_entries, scale_view
from mlscale.sandbox.schema import type_of
from mlscale.sandbox.statuses import bad_request, internal_error
from mlscale.sandbox.typed_merge import merge, violations
from mlscale.sandbox.unowned_fields import SERVER_FIELDS, blank, reset_fields

Json = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE_FIRST_APPLY = "before-first-apply"


def record_update(before: Json | None, after: Json, manager: str, subresource: str, now: str) -> Json:
    """``after`` with the managedFields that a create, an update or a patch by ``manager`` leaves.

    ``before`` is None for a creation. ``now`` is RFC 3339 in whole seconds. Entries that ``after`` sets itself
    count, as on the server; none, or a single empty one, forgets all. Where nothing changes but a time, ``before``'s
    managedFields stay. For ``scale`` both are the objects that are scaled.
    """
    if subresource == "scale" and before is not None and after.get("kind") != "Scale":
        return _scaled(before, after, manager, now)
    owners = _known_owners(before, after, subresource)
    if before is not None and not owners:
        return _with_entries(after, [])
    version = str(after.get("apiVersion"))
    owner = owner_named(manager or "unknown", "Update", version, subresource)
    owners = _updated(before or blank(after), after, owners, owner, now)
    return _settled(before, after, entries_of(capped(owners)))


def server_side_apply(
    live: Json | None, config: Json, manager: str, now: str, *, force: bool, subresource: str = ""
) -> Json:
    """``live`` (None: there is none yet) after ``manager`` has applied ``config``, not yet defaulted.

    Nulls stand where ``config`` has them or where all parts of a value went: what it returns is yet to be decoded.

    Fields that the manager applied before and leaves out now go, unless someone else owns them. Raises StatusError
    400 for another kind or managedFields in ``config``, 500 where it does not fit the schema, 409 with a cause for
    each field that it would change and another manager owns, unless ``force``. For ``scale`` the objects are those
    that are scaled, ``config`` with nothing but the replicas.
    """
    if subresource == "scale" and live is not None and config.get("kind") != "Scale":
        return _scale_applied(live, config, manager, now, force=force)
    start = blank(config) if live is None else live
    _check_config(start, config)
    owners = owners_of(start["metadata"].get("managedFields"))
    if not owners and live is not None:
        first = Owner(BEFORE_FIRST_APPLY, "Update", str(live.get("apiVersion")), subresource)
        owners = _updated(blank(live), live, {}, first, now)
    owner = owner_named(manager, "Apply", "", subresource)
    merged, owners = _applied(start, config, owners, owner, now, force=force)
    if merged.get("spec") is None and "spec" in blank(config):
        merged = {**merged, "spec": {}}
    return _settled(live, _with_last_applied(merged, config, manager), entries_of(capped(owners)))


def _scaled(before: Json, after: Json, manager: str, now: str) -> Json:
    old, new = scale_view(before), scale_view({**after, "metadata": before["metadata"]})
    recorded = record_update(old, new, manager, "scale", now)
    return _with_entries(after, parent_entries(before, recorded))


def _scale_applied(live: Json, config: Json, manager: str, now: str, *, force: bool) -> Json:
    metadata = {"name": config["metadata"].get("name")}
    scale = {"apiVersion": SCALE_VERSION, "kind": "Scale", "metadata": metadata, "spec": config.get("spec") or {}}
    applied = server_side_apply(scale_view(live), scale, manager, now, force=force, subresource="scale")
    replicas = (applied.get("spec") or {}).get("replicas") or 0
    after = {**live, "spec": {**live["spec"], "replicas": replicas}}
    return _with_entries(after, parent_entries(live, applied))


def _known_owners(before: Json | None, after: Json, subresource: str) -> Owners:
    sent = after["metadata"].get("managedFields")
    if not subresource and sent is not None:
        if sent in ([], [{}]):
            return {}
        if all(entry.get("operation") in ("Apply", "Update") for entry in sent):
            return owners_of(sent)
    return owners_of(before["metadata"].get("managedFields")) if before is not None else {}


def _updated(before: Json, after: Json, owners: Owners, owner: Owner, now: str) -> Owners:
    ignored = reset_fields(str(after.get("kind")), owner.subresource)
    changes = compare(_typed(before), _typed(after), type_of(after)).without(ignored)
    owners = _taken(owners, changes, None)
    fields = _stripped(union(changes.added, changes.modified))
    if fields:
        held = owners[owner].fields if owner in owners else {}
        owners[owner] = Owned(union(held, fields), owner.api_version, now)
    return owners


def _taken(owners: Owners, changes: Comparison, writer: Owner | None) -> Owners:
    """``owners`` without the fields that changed, or went; the writer's own set stays."""
    if changes.is_same:
        return dict(owners)
    lost = union(union(changes.added, changes.modified), changes.removed)
    kept: Owners = {}
    for owner, owned in owners.items():
        fields = owned.fields if owner == writer else difference(owned.fields, lost)
        if fields:
            kept[owner] = owned if fields is owned.fields else replace(owned, fields=fields)
    return kept


def _applied(live: Json, config: Json, owners: Owners, owner: Owner, now: str, *, force: bool) -> tuple[Json, Owners]:
    type_, ignored = type_of(config), reset_fields(str(config.get("kind")), owner.subresource)
    version = str(config.get("apiVersion"))
    merged = merge(_typed(live), config, type_)
    last = owners[owner].fields if owner in owners else {}
    fields = without_subtrees(field_set(config, type_), ignored)
    known = owners.get(owner)
    owners = {**owners, owner: Owned(fields, version, now)}
    merged = applying.pruned(merged, [owned.fields for owned in owners.values()], last, type_)
    changes = compare(_typed(live), merged, type_).without(ignored)
    if not force:
        touched = difference(union(changes.modified, changes.added), _client_side_fields(live, owner))
        _refuse_conflicts(owners, touched, owner)
    owners = _taken(owners, changes, owner)
    # Who applies what is there already owns it from no time on.
    time = now if not changes.is_same else known.time if known else None
    return merged, {**owners, owner: Owned(_stripped(fields), version, time)}


def _refuse_conflicts(owners: Owners, touched: Fields, writer: Owner) -> None:
    conflicts = [
        (owner, path)
        for owner in sorted(owners)
        if owner != writer
        for path in paths(intersection(owners[owner].fields, touched))
    ]
    if conflicts:
        raise applying.conflict(conflicts)


def _client_side_fields(live: Json, owner: Owner) -> Fields:
    """What kubectl may take from whom it is called by name: fields as its client-side apply left them."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    last = json.loads(text) if text and owner.name == "kubectl" else {}
    if last.get("apiVersion") != live.get("apiVersion"):
        return {}
    type_ = type_of(live)
    differing = compare(last, _typed(live), type_)
    return difference(field_set(last, type_), union(union(differing.added, differing.modified), differing.removed))


def _check_config(live: Json, config: Json) -> None:
    if (config.get("apiVersion"), config.get("kind")) != (live.get("apiVersion"), live.get("kind")):
        raise bad_request(f"invalid object type: {_spoken_kind(config)}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    found = violations(config, type_of(config))
    if found:
        names = metadata if isinstance(metadata, dict) else {}
        where = f"{names.get('namespace') or ''}/{names.get('name') or ''}; {_spoken_kind(config)}"
        said = found[0] if len(found) == 1 else "errors:" + "".join(f"\n  {line}" for line in found)
        raise internal_error(f"failed to create typed patch object ({where}): {said}")


def _spoken_kind(obj: Json) -> str:
    version = str(obj.get("apiVersion") or "")
    return f"{version if '/' in version else '/' + version}, Kind={obj.get('kind') or ''}"


def _with_last_applied(merged: Json, config: Json, manager: str) -> Json:
    """Where client-side apply has left its annotation, kubectl's server-side apply keeps it true."""
    metadata = merged["metadata"]
    annotations = metadata.get("annotations") or {}
    if manager != "kubectl" or LAST_APPLIED not in annotations:
        return merged
    kept = {**(config["metadata"].get("annotations") or {})}
    kept.pop(LAST_APPLIED, None)
    plain = {**config["metadata"], **({"annotations": kept} if kept else {})}
    if not kept:
        plain.pop("annotations", None)
    text = json.dumps({**config, "metadata": plain}, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    return {**merged, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: text}}}


def _typed(obj: Json) -> Json:
    """The object as its Go type serialises it: a Scale of no replicas says nothing of them."""
    if obj.get("kind") == "Scale" and (obj.get("spec") or {}).get("replicas") == 0:
        return {**obj, "spec": {}}
    return obj


def _stripped(fields: Fields) -> Fields:
    return difference(fields, SERVER_FIELDS)


def _with_entries(obj: Json, entries: list[Json]) -> Json:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**metadata, "managedFields": entries} if entries else metadata}


def _settled(before: Json | None, after: Json, entries: list[Json]) -> Json:
    """``after`` with ``entries``, or with those of ``before`` where only their times differ."""
    if before is None:
        return _with_entries(after, entries)
    old = before["metadata"].get("managedFields") or []
    same = _timeless(old) == _timeless(entries) and _with_entries(before, []) == _with_entries(after, [])
    return _with_entries(after, old if same else entries)


def _timeless(entries: list[Json]) -> list[Json]:
    plain = ({key: value for key, value in entry.items() if key != "time"} for entry in entries)
    return sorted(plain, key=lambda entry: json.dumps(entry, sort_keys=True))
