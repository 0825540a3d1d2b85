"""The options of a write in its query: dryRun, fieldManager, fieldValidation, force.

From apimachinery pkg/apis/meta/v1/validation/validation.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.kube.kinds import Kind
from mlscale.sandbox.go_json import quoted
from mlscale.sandbox.patching import APPLY
from mlscale.sandbox.server.request_info import is_true
from mlscale.sandbox.statuses import Cause, bad_request, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_MANAGER = 128
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")


@dataclass(frozen=True)
class WriteOptions:
    """How to write; ``validation`` is Strict, Warn or Ignore."""

    manager: str
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"


def read_write_options(
    verb: str, query: Mapping[str, str], headers: Mapping[str, str], content_type: str = ""
) -> WriteOptions:
    """The options of a create, update or patch (then of ``content_type``). Raises StatusError 422."""
    named = query.get("fieldManager", "")
    causes = [*_dry_run_causes(query), *_manager_causes(named), *_validation_causes(query)]
    if verb == "patch":
        causes += _patch_causes(named, query, content_type)
    if causes:
        raise invalid(_kind(_OPTIONS[verb]), "", causes)
    return WriteOptions(
        manager=named or manager_of(headers.get("user-agent", "")),
        dry_run=bool(query.get("dryRun")),
        force=is_true(query.get("force")),
        validation=query.get("fieldValidation") or "Warn",
    )


def manager_of(user_agent: str) -> str:
    """The field manager of a client that names none: its User-Agent up to the first slash."""
    name = user_agent.partition("/")[0]
    return "".join(c for c in name if c.isprintable())[:_LONGEST_MANAGER] or "unknown"


def read_number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number of the query, None where it is not there. Raises StatusError 400."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _kind(name: str) -> Kind:
    return Kind("meta.k8s.io", "v1", name, name.lower())


def _dry_run_causes(query: Mapping[str, str]) -> list[Cause]:
    value = query.get("dryRun", "")
    if value in ("", "All"):
        return []
    return [Cause("dryRun", "FieldValueNotSupported", f'Unsupported value: ["{value}"]: supported values: "All"')]


def _manager_causes(manager: str) -> list[Cause]:
    if len(manager.encode()) > _LONGEST_MANAGER:
        why = f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        return [Cause("fieldManager", "FieldValueTooLong", why)]
    for place, character in enumerate(manager):
        if not character.isprintable():
            why = f"Invalid value: {quoted(manager)}: invalid character U+{ord(character):04X} (at position {place})"
            return [Cause("fieldManager", "FieldValueInvalid", why)]
    return []


def _validation_causes(query: Mapping[str, str]) -> list[Cause]:
    value = query.get("fieldValidation", "")
    if value in _VALIDATIONS:
        return []
    supported = ", ".join(f'"{known}"' for known in _VALIDATIONS)
    why = f'Unsupported value: "{value}": supported values: {supported}'
    return [Cause("fieldValidation", "FieldValueNotSupported", why)]


def _patch_causes(manager: str, query: Mapping[str, str], content_type: str) -> list[Cause]:
    if content_type in APPLY:
        why = "Required value: is required for apply patch"
        return [] if manager else [Cause("fieldManager", "FieldValueRequired", why)]
    if "force" in query:
        return [Cause("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")]
    return []
