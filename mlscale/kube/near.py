"""Near matches for a name that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


def near_matches(name: str, names: Iterable[str]) -> list[str]:
    """Up to three of ``names`` that someone who typed ``name`` may have meant, nearest first."""
    import difflib

    return difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.6)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``did you mean "web" or "web2"?``, or nothing where no name is near."""
    near = [f'"{printable(match)}"' for match in near_matches(name, names)]
    return f"did you mean {' or '.join(near)}?" if near else ""
