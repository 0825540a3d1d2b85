"""What a check found: a level, a CamelCase reason as in conditions, and a sentence for a person."""

from __future__ import annotations

from typing import Literal

from mlscale.frozen import frozen

Level = Literal["note", "warning", "refusal"]


@frozen
class Finding:
    """One thing worth saying; a ``refusal`` stops the verb before anything is written."""

    level: Level
    reason: str
    message: str
    about: str = ""
    """The object it is about, printed as kubectl does (``deployment.apps/web``); empty if none."""
