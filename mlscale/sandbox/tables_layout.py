"""What the tables of every kind are made of: columns, and how a cell writes ages, containers and selectors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Json = dict[str, Any]
Cells = list[Any]
"""The cells of one row, of every priority, in the order of the columns: texts and whole numbers."""

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_536_000
"""In seconds; a year is 365 days."""


@dataclass(frozen=True)
class Column:
    """A column; one of priority 1 is shown with ``-o wide`` only."""

    name: str
    description: str
    type: str = "string"
    format: str = ""
    priority: int = 0

    def definition(self) -> Json:
        """As a Table gives it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True)
class Layout:
    """How the objects of a kind look in a table."""

    columns: tuple[Column, ...]
    cells: Callable[[Json, datetime], Cells]
    """From an object and the present moment."""
    null_when_empty: bool = False
    """Whether a list without items has ``rows: null``, not ``[]``."""


NAME = Column("Name", "Name of the object.", format="name")
AGE = Column("Age", "Time since the object was created.")
WIDE_CONTAINERS = (
    Column("Containers", "Names of the containers of the pod template.", priority=1),
    Column("Images", "Images of the containers of the pod template.", priority=1),
)
WIDE_SELECTOR = Column("Selector", "Labels that the pods must have.", priority=1)


def part(obj: Json, *path: str) -> Json:
    """The mapping at ``path``; empty where it, or one above it, is absent or null."""
    for key in path:
        obj = obj.get(key) or {}
    return obj


def name_of(obj: Json) -> str:
    """The name; the object of a bookmark has none."""
    name: str = part(obj, "metadata").get("name") or ""
    return name


def age(obj: Json, now: datetime) -> str:
    """The time since ``obj`` was created."""
    return since(part(obj, "metadata").get("creationTimestamp"), now)


def since(moment: str | None, now: datetime) -> str:
    """The time since an API timestamp, or ``<unknown>``."""
    return human_duration(now - datetime.fromisoformat(moment)) if moment else "<unknown>"


def human_duration(span: timedelta) -> str:
    """``span`` in two or three significant digits: ``90s``, ``2m30s``, ``5h10m``, ``3d4h``, ``2y8d``.

    Under -2 s it is ``<invalid>``; up to that, the clocks of two machines are taken to differ.
    The steps are those of HumanDuration in k8s.io/apimachinery pkg/util/duration/duration.go, v0.37.2.
    """
    seconds = int(span.total_seconds())
    if seconds < 0:
        return "0s" if seconds == -1 else "<invalid>"
    if seconds < 3 * HOUR:
        return _minutes(seconds)
    return _hours(seconds) if seconds < 8 * DAY else _days(seconds)


def _minutes(seconds: int) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, MINUTE)
    return f"{minutes}m{rest}s" if rest and minutes < 10 else f"{minutes}m"


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, HOUR)
    minutes = rest // MINUTE
    if hours < 8:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if hours else f"{days}d"


def _days(seconds: int) -> str:
    years, rest = divmod(seconds, YEAR)
    days = rest // DAY
    if years < 2:
        return f"{seconds // DAY}d"
    return f"{years}y{days}d" if days and years < 8 else f"{years}y"


def container_cells(template: Json) -> Cells:
    """The names and the images of the containers of a pod template, with commas."""
    containers = part(template, "spec").get("containers") or []
    return [",".join(one.get(key) or "" for one in containers) for key in ("name", "image")]


def format_labels(labels: Mapping[str, str] | None) -> str:
    """``app=web,tier=front``, or ``<none>``."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or "<none>"


def format_selector(selector: Json | None) -> str:
    """A label selector as it would be written after ``-l``, by key; empty for none.

    ``{matchLabels: {app: web}, matchExpressions: [{key: a, operator: NotIn, values: [y, x]}]}`` is
    ``a notin (x,y),app=web``.
    """
    selector = selector or {}
    found = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    found += [(one["key"], _requirement(one)) for one in selector.get("matchExpressions") or []]
    return ",".join(text for _, text in sorted(found, key=lambda each: each[0]))


def _requirement(expression: Json) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator == "Exists":
        return f"{key}"
    if operator == "DoesNotExist":
        return f"!{key}"
    return f"{key} {operator.lower()} ({','.join(sorted(expression.get('values') or []))})"


def has_condition(conditions: Iterable[Json] | None, condition_type: str) -> bool:
    """Whether the condition is there and True."""
    return any(one.get("type") == condition_type and one.get("status") == "True" for one in conditions or ())
