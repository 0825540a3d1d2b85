"""Lines of kubectl, and how mlscale's answer in its place is held against kubectl's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.contract.twins import REPLICAS, Ran, State, Twins

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

USAGE = 2
"""mlscale's exit code for a line that is not written as it should be."""
ANY = "(anything)"
"""Stands for a stdout that is not pinned down."""
EXIT_CODES, WORDING = "exit-codes", "wording-on-stderr"
"""Differences of every line that fails; all others are named by the line that shows them."""


@dataclass(frozen=True)
class Line:
    """One command line without the program's name.

    Without ``different`` kubectl and mlscale print the same stdout, succeed or fail alike and store the same.
    With it they do not, and the line says what mlscale does instead.
    """

    name: str
    line: str
    exit: int = 0
    """mlscale's exit code; kubectl's is 1 for every failure."""
    says: str = ""
    """A part of mlscale's stderr."""
    different: str = ""
    """The heading of docs/reference/kubectl.md, as an anchor, that describes the difference."""
    prints: str = ""
    """mlscale's stdout, where it is different."""
    leaves: Mapping[str, Any] = field(default_factory=dict)
    """After mlscale, where it is different: the replicas that are not as at the start; for autoscale all HPAs by
    name, each with a part of its spec."""
    before: Mapping[str, int] = field(default_factory=dict)
    """Replicas other than those of REPLICAS to start from."""
    hpas: tuple[Json, ...] = ()
    """HPAs to start from."""
    stdin: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """``autoscale``, or ``scale`` for any other."""
        return "autoscale" if "autoscale" in self.line.split() else "scale"


def check(twins: Twins, line: Line) -> None:
    """Run ``line`` with both programs from equal state, and hold mlscale to kubectl or to the difference."""
    twins.reset(line.before, line.hpas)
    kubectl, mlscale = twins.run(line.line, line.stdin, line.environment)
    assert (mlscale.exit_code, line.says in mlscale.stderr) == (line.exit, True), mlscale.stderr
    assert "Traceback" not in mlscale.stderr
    if line.different:
        _check_difference(twins, line, kubectl, mlscale)
    else:
        assert masked(twins, mlscale.stdout) == masked(twins, kubectl.stdout)
        assert (mlscale.exit_code == 0) == (kubectl.exit_code == 0), kubectl.stderr
        assert _stored(line, mlscale.state) == _stored(line, kubectl.state)


def _check_difference(twins: Twins, line: Line, kubectl: Ran, mlscale: Ran) -> None:
    assert line.prints in (ANY, masked(twins, mlscale.stdout))
    if line.verb == "scale":
        assert mlscale.state.replicas == {**REPLICAS, **line.before, **line.leaves}
    else:
        stored = {name: hpa["spec"] for name, hpa in mlscale.state.hpas.items()}
        parts = {name: {key: stored[name].get(key) for key in part} for name, part in line.leaves.items()}
        assert (set(stored), parts) == (set(line.leaves), dict(line.leaves))
    assert _outcome(twins, line, kubectl) != _outcome(twins, line, mlscale), "no difference: it belongs to the same"


def _outcome(twins: Twins, line: Line, ran: Ran) -> tuple[str, bool, object]:
    return masked(twins, ran.stdout), ran.exit_code == 0, _stored(line, ran.state)


def _stored(line: Line, state: State) -> object:
    """What the verb changes; the HPA controller may change replicas while a line of autoscale runs."""
    return state.replicas if line.verb == "scale" else state.hpas


def masked(twins: Twins, text: str) -> str:
    """``text`` without what differs between any two objects: namespace, uid, times, versions."""
    for twin in twins.twins:
        text = text.replace(twin.namespace, "NAMESPACE")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    return re.sub(r'((?:resourceVersion|generation)"?: )"?\d+"?', r"\1N", text)


def different_lines(lines: list[Line]) -> set[str]:
    """The differences that ``lines`` show."""
    shown = {line.different for line in lines if line.different}
    shown |= {EXIT_CODES for line in lines if line.exit > 1 and not line.different}
    return shown | {WORDING for line in lines if line.exit and line.says}
