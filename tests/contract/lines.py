"""Lines of kubectl, and how mlscale's answer in its place is held against kubectl's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.contract.twins import REPLICAS, Ran, State, Twins

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

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
    leaves: Mapping[str, int] = field(default_factory=dict)
    """The replicas that differ from the start after mlscale, where it is different."""
    before: Mapping[str, int] = field(default_factory=dict)
    """Replicas other than those of REPLICAS to start from."""
    hpas: tuple[Json, ...] = ()
    """HPAs to start from."""
    hpa_specs: Mapping[str, Json] | None = None
    """Parts of the specs of all HPAs after mlscale, where it is different."""
    stdin: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def check(twins: Twins, line: Line) -> tuple[Ran, Ran]:
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
        assert mlscale.state == kubectl.state
    return kubectl, mlscale


def _check_difference(twins: Twins, line: Line, kubectl: Ran, mlscale: Ran) -> None:
    assert masked(twins, mlscale.stdout) == line.prints
    assert mlscale.state.replicas == {**REPLICAS, **line.before, **line.leaves}
    if line.hpa_specs is not None:
        assert set(mlscale.state.hpas) == set(line.hpa_specs)
        for name, part in line.hpa_specs.items():
            spec = mlscale.state.hpas[name]["spec"]
            assert {key: spec.get(key) for key in part} == part
    assert _outcome(twins, kubectl) != _outcome(twins, mlscale), "no difference: the line belongs to the same ones"


def _outcome(twins: Twins, ran: Ran) -> tuple[str, bool, State]:
    return masked(twins, ran.stdout), ran.exit_code == 0, ran.state


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
