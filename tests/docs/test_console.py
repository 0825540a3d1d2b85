"""The reader of console blocks would notice a difference, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import Shell, Step, carried_out, masked, read_steps

SHELL = Shell({"PATH": "/usr/bin:/bin"}, Path("/"), "test-1a2b3c4d")

DOCUMENT = """\
Text.
```console
$ mlscale scale web --replicas 3
deployment.apps/web scaled
$ mlscale scale nope --replicas 3
error: no
$ echo $?
3
```
```sh
$ not a command
```
"""


def test_steps_are_read_with_their_lines_and_exit_codes() -> None:
    assert read_steps(DOCUMENT) == [
        Step(3, "mlscale scale web --replicas 3", "deployment.apps/web scaled\n", 0),
        Step(5, "mlscale scale nope --replicas 3", "error: no\n", 3),
    ]


def test_output_without_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 belongs to no command"):
        read_steps("```console\nscaled\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("my-ml-model   1/1     1            1           5m3s", "my-ml-model   1/1     1            1           4s"),
        ("pod/web-865448486d-9b7r7   1/1", "pod/web-54b475fdb-gd7fp   1/1"),
        ("web: 440 of 495 new copies fit: cpu is short", "web: 12 of 495 new copies fit: cpu is short"),
        (
            "(each needs 500m; 220 free on 7 eligible nodes of 7)",
            "(each needs 500m; 15400m free on 9 eligible nodes of 10, at most 31400m on one)",
        ),
        ("short (0/7 nodes are available: 7 Insufficient x)", "short (0/8 nodes are available: 1 y, 7 Insufficient x)"),
        (
            "short (0/7 nodes are available: 7 Insufficient x): web",
            "short (0/9 nodes are available: 2 node(s) had untolerated taint(s), 7 Insufficient x): web",
        ),
        ("note: waiting: 1 pod Pending\nscaled", "scaled"),
    ],
)
def test_what_differs_from_run_to_run_is_masked(shown: str, printed: str) -> None:
    assert masked(shown) == masked(printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("deployment.apps/web scaled", "deployment.apps/web scaled (dry run)"),
        ("my-ml-model   3/3     3            3           4s", "my-ml-model   2/3     3            2           4s"),
        ("web: 7 of 29 new copies fit: nvidia.com/gpu is short", "web: 7 of 29 new copies fit: cpu is short"),
        ("web: 7 of 29 new copies fit", "web: 7 of 30 new copies fit"),
        ("cpu: 50%/50%", "cpu: 74%/50%"),
        ("the HPA sets 2 at once", "the HPA sets 3 at once"),
        ("--request-timeout 30s", "--request-timeout 5m"),
    ],
)
def test_what_the_reader_relies_on_is_not_masked(shown: str, printed: str) -> None:
    assert masked(shown) != masked(printed)


def test_another_exit_code_or_another_output_is_a_difference() -> None:
    assert carried_out(Step(1, "echo scaled", "scaled\n"), SHELL) == ""
    assert "exit code 3, shown 0" in carried_out(Step(1, "echo scaled; exit 3", "scaled\n"), SHELL)
    assert "printed:\nscaled" in carried_out(Step(1, "echo scaled", "not scaled\n"), SHELL)


def test_stderr_is_shown_too_and_the_namespace_is_called_default() -> None:
    assert carried_out(Step(1, "echo in test-1a2b3c4d >&2", "in default\n"), SHELL) == ""


def test_a_reading_command_is_run_until_it_shows_the_settled_state(tmp_path: Path) -> None:
    """Without the second look, a table read while pods start would be a difference."""
    program = tmp_path / "mlscale"
    program.write_text(f"#!/bin/sh\necho >>{tmp_path}/looks; wc -l <{tmp_path}/looks\n", encoding="utf-8")
    program.chmod(0o755)
    shell = Shell({"PATH": f"{tmp_path}:/usr/bin:/bin"}, tmp_path, "test-1a2b3c4d")
    pauses: list[float] = []

    assert carried_out(Step(1, "mlscale status", "3\n"), shell, now=lambda: 0.0, pause=pauses.append) == ""
    assert len(pauses) == 2


def test_a_reading_command_that_never_shows_it_is_a_difference() -> None:
    times = iter([0.0, 50.0, 200.0])
    pauses: list[float] = []
    step = Step(1, "kubectl get pods 2>/dev/null || echo none", "some\n")

    assert "printed:\nnone" in carried_out(step, SHELL, now=lambda: next(times), pause=pauses.append)
