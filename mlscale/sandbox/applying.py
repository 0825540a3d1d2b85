"""Two steps of server-side apply: taking out what is no longer applied, and wording its conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.comparison import field_set
from mlscale.sandbox.field_sets import Fields, difference, intersection, union
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.typed_merge import remove, with_named_fields

if TYPE_CHECKING:
    from mlscale.sandbox.field_owners import Owner
    from mlscale.sandbox.schema import Type

Json = dict[str, Any]


def pruned(merged: Json, owned: list[Fields], last: Fields, type_: Type) -> Json:
    """``merged`` without the fields of ``last``, the applier's former set, that nobody in ``owned`` has now.

    Source: structured-merge-diff v6 merge/update.go, prune.
    """
    if not last:
        return merged
    named_last = with_named_fields(last, type_)
    everything = with_named_fields(field_set(merged, type_), type_)
    kept = with_named_fields(_fields_of(remove(merged, named_last, type_), type_), type_)
    for fields in owned:
        kept = union(kept, with_named_fields(fields, type_))
    lean = remove(merged, difference(everything, kept), type_)
    left = with_named_fields(_fields_of(lean, type_), type_)
    result: Json = remove(merged, intersection(difference(everything, left), named_last), type_)
    return result


def conflict(conflicts: list[tuple[Owner, str]]) -> StatusError:
    """409 with a cause for each field: ``conflicts`` are owner and path (managedfields internal/conflict.go)."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner.spoken()}", "field": path}
        for owner, path in conflicts
    ]
    if len(conflicts) == 1:
        owner, path = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {owner.spoken()}: {path}"
    else:
        by_owner: dict[Owner, list[str]] = {}
        for owner, path in conflicts:
            by_owner.setdefault(owner, []).append(path)
        said = (f"conflicts with {owner.spoken()}:" + "".join(f"\n- {p}" for p in ps) for owner, ps in by_owner.items())
        message = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(said)
    return StatusError(409, "Conflict", message, {"causes": causes})


def _fields_of(value: Any, type_: Type) -> Fields:
    return {} if value is None else field_set(value, type_)
