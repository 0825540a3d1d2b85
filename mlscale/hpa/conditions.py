"""The conditions of an HPA's status."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One condition; its messages are the controller's own, since people and programs read them."""

    type: str
    """``AbleToScale``, ``ScalingActive``, ``ScalingLimited`` or ``ScaledToZero``."""
    status: str
    """``True`` or ``False``."""
    reason: str
    message: str
    since: float
    """The last transition of ``status``, in seconds since the epoch."""


def with_condition(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """``new`` in place of the one of its type, or at the end (setConditionInList).

    Its time counts only where the status changes.
    """
    before = next((one for one in conditions if one.type == new.type), None)
    if before is None:
        return (*conditions, new)
    since = before.since if before.status == new.status else new.since
    settled = Condition(new.type, new.status, new.reason, new.message, since)
    return tuple(settled if one is before else one for one in conditions)


def is_true(conditions: tuple[Condition, ...], type_: str) -> bool:
    """Whether the condition of that type is there and True."""
    return any(one.type == type_ and one.status == "True" for one in conditions)
