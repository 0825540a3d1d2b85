"""How the cases of rule_cases are built: each a right object with something changed."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

PLAIN, LIMITED, BOUNDED, GONE = "plain", "limited", "bounded", "gone"
"""Namespaces: with nothing in it, with LimitRanges, with ResourceQuotas; and one that does not exist."""
REMOVED = object()


@dataclass(frozen=True)
class Case:
    """An object that is sent; with ``before``, in place of that one."""

    name: str
    kind: Kind
    body: Json
    before: Json | None = None
    namespace: str = PLAIN


@dataclass
class Cases:
    """Variations of one right object, each named by what is changed in it."""

    kind: Kind
    base: Json
    namespace: str = PLAIN
    found: list[Case] = field(default_factory=list)

    def new(self, name: str, **changes: Any) -> None:
        """A creation of the object with ``changes``: paths with ``__`` between the steps, ``__0__`` for ``[0]``."""
        body = changed(self.base, changes)
        self.found.append(Case(f"{self.kind.kind} {name}", self.kind, body, None, self.namespace))

    def update(self, name: str, **changes: Any) -> None:
        """An update of the stored object to one with ``changes``."""
        body = changed(self.base, changes)
        self.found.append(Case(f"{self.kind.kind} update {name}", self.kind, body, self.base, self.namespace))


def changed(base: Json, changes: Json) -> Json:
    """A copy of ``base`` in which each path has its value, or REMOVED nothing."""
    body = copy.deepcopy(base)
    for path, value in changes.items():
        holder: Any = body
        keys = [int(key) if key.isdigit() else key for key in path.split("__")]
        for key in keys[:-1]:
            holder = holder.setdefault(key, {}) if isinstance(holder, dict) else holder[key]
        if value is REMOVED:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = copy.deepcopy(value)
    return body


def metadata(name: str) -> Json:
    return {"name": name}


def template() -> Json:
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}


def workload(name: str) -> Json:
    return {"metadata": metadata(name), "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template()}}
