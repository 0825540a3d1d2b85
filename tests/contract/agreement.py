"""What kubectl and mlscale print of one cluster, held against each other while it moves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cluster.access import poll

if TYPE_CHECKING:
    from collections.abc import Callable

_AGE = re.compile(r"(?<=\s)(\d+[smhdy])+(?=\s|$)", re.MULTILINE)


def masked(output: str) -> str:
    """``output`` with ages as ``AGE``; a column that follows an age may move with its length, so its gap is one."""
    return re.sub(r"AGE {2,}", "AGE   ", _AGE.sub("AGE", output))


def agree(ours: Callable[[], str], theirs: Callable[[], str]) -> str:
    """Both say the same, and something, which is returned; asked again where the cluster changes in between."""

    def read() -> tuple[str, str] | None:
        before, own, after = theirs(), ours(), theirs()
        return (masked(own), masked(before)) if masked(before) == masked(after) else None

    own, wanted = poll(read, 60, "moment in which nothing changes")
    assert own == wanted
    assert wanted
    return wanted
