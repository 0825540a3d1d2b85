"""What a StatefulSet does next (kubernetes pkg/controller/statefulset/stateful_set_control.go, v1.37.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlscale.sandbox.controllers.stateful_steps import Replica, Rules, Steps, next_steps

ORDERED = Rules(update_revision="b")
PARALLEL = replace(ORDERED, ordered=False)


def ready(ordinal: int, revision: str = "b") -> Replica:
    """A pod that is fine."""
    return Replica(ordinal, revision, created=True, ready=True, available=True)


def starting(ordinal: int, revision: str = "b") -> Replica:
    """A pod that is not ready yet."""
    return Replica(ordinal, revision, created=True)


def ending(ordinal: int, revision: str = "b") -> Replica:
    """A pod that was told to end."""
    return replace(ready(ordinal, revision), terminating=True)


EMPTY = [Replica(0), Replica(1), Replica(2)]


@pytest.mark.parametrize(
    ("rules", "wanted", "condemned", "expected"),
    [
        pytest.param(ORDERED, EMPTY, [], Steps(create=(0,)), id="the first pod first"),
        pytest.param(PARALLEL, EMPTY, [], Steps(create=(0, 1, 2)), id="all at once when parallel"),
        pytest.param(ORDERED, [starting(0), *EMPTY[1:]], [], Steps(), id="waits until the one before is ready"),
        pytest.param(ORDERED, [ready(0), *EMPTY[1:]], [], Steps(create=(1,)), id="then the next"),
        pytest.param(
            ORDERED, [replace(ready(0), available=False), Replica(1)], [], Steps(), id="ready is not yet available"
        ),
        pytest.param(ORDERED, [ending(0), Replica(1)], [], Steps(), id="waits for an end"),
        pytest.param(
            ORDERED, [replace(starting(0), ended=True)], [], Steps(delete=(0,)), id="a failed pod is replaced"
        ),
        pytest.param(
            ORDERED, [replace(starting(0), ended=True, terminating=True)], [], Steps(), id="but deleted only once"
        ),
        pytest.param(ORDERED, [ready(0)], [ready(2), ready(1)], Steps(delete=(2,)), id="the last goes first"),
        pytest.param(PARALLEL, [ready(0)], [ready(2), ready(1)], Steps(delete=(2, 1)), id="all go when parallel"),
        pytest.param(ORDERED, [ready(0)], [ending(2), ready(1)], Steps(), id="one goes at a time"),
        pytest.param(
            ORDERED, [ready(0)], [starting(2), ready(1)], Steps(delete=(2,)), id="the only one not ready goes"
        ),
        pytest.param(ORDERED, [ready(0)], [starting(2), starting(1)], Steps(), id="not while one before is not ready"),
        pytest.param(ORDERED, [starting(0)], [ready(1)], Steps(), id="no end before all others are ready"),
    ],
)
def test_order(rules: Rules, wanted: list[Replica], condemned: list[Replica], expected: Steps) -> None:
    assert next_steps(rules, wanted, condemned) == expected


OLD = [ready(0, "a"), ready(1, "a"), ready(2, "a")]


@pytest.mark.parametrize(
    ("rules", "wanted", "expected"),
    [
        pytest.param(ORDERED, OLD, Steps(delete=(2,)), id="the last old pod"),
        pytest.param(ORDERED, [*OLD[:2], ending(2, "a")], Steps(), id="one at a time"),
        pytest.param(ORDERED, [*OLD[:2], starting(2)], Steps(), id="waits for the new one"),
        pytest.param(ORDERED, [*OLD[:2], ready(2)], Steps(delete=(1,)), id="then the one before"),
        pytest.param(replace(ORDERED, partition=2), [*OLD[:2], ready(2)], Steps(), id="not below the partition"),
        pytest.param(replace(ORDERED, rolling=False), OLD, Steps(), id="OnDelete leaves them"),
        pytest.param(replace(ORDERED, max_unavailable=2), OLD, Steps(delete=(2, 1)), id="two where two may be missing"),
        pytest.param(
            PARALLEL, [ready(0, "a"), starting(1, "a"), starting(2, "a")], Steps(delete=(2, 1)), id="broken old pods go"
        ),
    ],
)
def test_update(rules: Rules, wanted: list[Replica], expected: Steps) -> None:
    assert next_steps(rules, wanted, []) == expected
