"""``-o json`` and ``-o yaml``: one versioned document, described by docs/reference/schemas/status-v1.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlscale.errors import MlscaleError
    from mlscale.status.model import Section, StatusResult

Json = dict[str, Any]

SCHEMA = "mlscale.status/v1"


def status_report(result: StatusResult) -> Json:
    """The result as plain data; objects are the API's own, without managedFields.

    A section that was not asked for (``--only``) is null, one without objects an empty list.
    """
    return {
        "schema": SCHEMA,
        "workloads": _objects(result, "workloads"),
        "pods": _objects(result, "pods"),
        "hpas": _objects(result, "hpa"),
        "findings": [
            {"level": f.level, "reason": f.reason, "message": f.message, "about": f.about} for f in result.findings
        ],
        "errors": [_error(error) for error in result.errors],
    }


def _objects(result: StatusResult, section: Section) -> list[Json] | None:
    if not result.request.shows(section):
        return None
    return [_bare(obj) for table in result.of(section) for obj in table.objects]


def _error(error: MlscaleError) -> Json:
    return {"message": error.message, "hint": error.hint, "exitCode": int(error.exit_code)}


def _bare(obj: Json) -> Json:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata}
