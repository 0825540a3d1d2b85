"""Field selectors, and the fields that each kind offers (apimachinery pkg/fields/selector.go, v1.37.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import bad_request

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

_ALWAYS = ("metadata.name", "metadata.namespace")
_FIELDS = {
    "pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "replicationcontrollers": ("status.replicas",),
    "services": ("spec.clusterIP", "spec.type"),
    "jobs.batch": ("status.successful",),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
}  # fmt: skip
"""Beyond the name and namespace (pkg/apis/core/v1/conversion.go and the registries' own)."""

_STATED_AS = {"status.successful": "status.succeeded", "source": "source.component"}
_ZERO = {
    "spec.hostNetwork": "false",
    "spec.unschedulable": "false",
    "status.replicas": "0",
    "status.successful": "0",
}
"""What an absent field reads as; any other as the empty text."""


@dataclass(frozen=True)
class Term:
    """One ``field=value`` or ``field!=value``."""

    field: str
    value: str
    negated: bool

    def holds(self, obj: Json) -> bool:
        """Whether the object's field has (or has not) the value."""
        return (_field(obj, self.field) == self.value) is not self.negated


def parse_field_selector(kind: Kind, text: str) -> tuple[Term, ...]:
    """The terms of ``status.phase=Running,spec.nodeName!=n1``. Raises StatusError 400."""
    terms = tuple(_term(part) for part in re.split(r"(?<!\\),", text) if part)
    for term in terms:
        if term.field not in _offered(kind):
            raise bad_request(_unknown(kind, term.field))
    return terms


def matches(terms: tuple[Term, ...], obj: Json) -> bool:
    """Whether the object meets all terms."""
    return all(term.holds(obj) for term in terms)


def _term(part: str) -> Term:
    operator = re.search(r"!=|==|=", part)
    if operator is None:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    field, value = part[: operator.start()], part[operator.end() :]
    return Term(field, _unescaped(value), operator.group() == "!=")


def _unescaped(value: str) -> str:
    if stray := re.search(r"\\([^\\,=]|$)", value):
        raise bad_request(f"invalid field selector: invalid escape sequence: {stray.group()}")
    if bare := re.search(r"(?<!\\)[=]", value):
        raise bad_request(f"invalid field selector: unescaped character in value: {ord(bare.group())}")
    return re.sub(r"\\(.)", r"\1", value)


def _offered(kind: Kind) -> tuple[str, ...]:
    own = _FIELDS.get(kind.resource, ())
    return (*own, "metadata.name") if own and not kind.namespaced else (*own, *_ALWAYS)


def _unknown(kind: Kind, field: str) -> str:
    if kind.resource == "jobs.batch":
        return f'field label "{field}" not supported for Job'
    if kind.resource in _FIELDS:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _field(obj: Json, path: str) -> str:
    if path == "reportingComponent" and not obj.get("reportingComponent"):
        return _field(obj, "source")
    value: Any = obj
    for part in _STATED_AS.get(path, path).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if path == "status.podIPs":
        return ",".join(each.get("ip", "") for each in value or ())
    if isinstance(value, bool):
        return str(value).lower()
    return _ZERO.get(path, "") if value is None else str(value)
