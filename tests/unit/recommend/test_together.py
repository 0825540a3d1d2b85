"""Judgements that go on together, and histories that come one by one: what fails does so alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.quantity import InvalidQuantityError
from mlscale.recommend.flow import TOGETHER, Histories, batches_of, read_one_by_one
from mlscale.recommend.together import judge_together
from tests.unit.recommend.objects import TARGET, container, deployment, facts, flat, history

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from mlscale.kube.targets import Target
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.usage.model import History
    from mlscale.usage.workloads import Workload

Step = Any


def judging(*wants: str) -> Generator[Step, Step, str]:
    """Asks for each of ``wants`` in turn, and answers with what it was sent."""
    got = []
    for want in wants:
        if want == "refused":
            raise NotEnoughDataError("refused")
        got.append((yield want))
    return "+".join(got)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was tried together, round by round; ``bad`` cannot be tried."""
    asked_for: list[list[str]] = []

    def run(asked: Sequence[Step]) -> list[Step]:
        asked_for.append(list(asked))
        if "bad" in asked:
            raise MlscaleError("bad")
        return [want.upper() for want in asked]

    monkeypatch.setattr("mlscale.recommend.together.run_trials", run)
    return asked_for


def test_each_is_sent_its_own_outcomes_round_by_round(rounds: list[list[str]]) -> None:
    answers = judge_together([judging("a", "b"), judging(), judging("c")])
    assert answers == ["A+B", "", "C"]
    assert rounds == [["a", "c"], ["b"]]


def test_what_cannot_be_judged_or_tried_keeps_no_other_from_it(rounds: list[list[str]]) -> None:
    answers = judge_together([judging("a"), judging("refused"), judging("bad", "never"), judging("b", "refused")])
    assert [str(answer) for answer in answers] == ["A", "refused", "bad", "refused"]
    assert [isinstance(answer, MlscaleError) for answer in answers] == [False, True, True, True]
    assert rounds == [["a", "bad", "b"], ["a"], ["bad"], ["b"]]


def workloads(*names: str) -> list[WorkloadFacts | MlscaleError]:
    seen = facts(deployment(container(cpu="500m")))
    return [replace(seen, target=replace(TARGET, name=name, namespace=name[0])) for name in names]


def test_a_source_that_fails_on_the_way_keeps_what_it_gave() -> None:
    used, error = history(flat(1.0)), MlscaleError("Prometheus answered 503")

    def read(asked: Sequence[Workload]) -> Iterator[tuple[Target, History | MlscaleError]]:
        yield asked[3].target, used
        raise error

    found = list(read_one_by_one(workloads("a1", "a2", "a3", "b1", "b2"), read))
    assert [(one.target.name, got) for one, got in found] == [
        ("b1", used),
        ("a1", error),
        ("a2", error),
        ("a3", error),
        ("b2", error),
    ]


def test_what_a_source_leaves_out_has_no_history() -> None:
    used = history(flat(1.0))
    found = list(read_one_by_one(workloads("a1", "b1"), lambda asked: iter([(asked[1].target, used)])))
    assert [(one.target.name, got) for one, got in found] == [("b1", used), ("a1", None)]


def test_a_source_that_gives_all_at_once_serves_too() -> None:
    used = history(flat(1.0))

    def read(asked: Sequence[Workload]) -> Histories:
        return {one.target: used for one in reversed(asked)}

    found = list(read_one_by_one(workloads("a1", "b1", "a2"), read))
    assert [(one.target.name, got) for one, got in found] == [("a2", used), ("b1", used), ("a1", used)]


def test_a_source_that_cannot_be_asked_fails_for_all() -> None:
    error = MlscaleError("no")

    def read(asked: Sequence[Workload]) -> Histories:
        raise error

    assert [got for _, got in read_one_by_one(workloads("a1", "b1"), read)] == [error, error]


def test_a_template_that_cannot_be_read_fails_alone() -> None:
    used = history(flat(1.0))
    good, bad = workloads("a1", "b1")
    assert not isinstance(bad, MlscaleError)
    template = {"metadata": {}, "spec": {"containers": [container(cpu="one")]}}
    wrong = replace(bad, template=template)
    found = list(read_one_by_one([good, wrong], lambda asked: {one.target: used for one in asked}))
    assert [(one.target.name, type(got)) for one, got in found] == [("b1", InvalidQuantityError), ("a1", type(used))]


def test_no_more_is_read_than_is_judged_together() -> None:
    given = 0

    def read(asked: Sequence[Workload]) -> Iterator[tuple[Target, History | MlscaleError]]:
        nonlocal given
        for workload in asked:
            given += 1
            yield workload.target, MlscaleError("x")

    batches = batches_of(read_one_by_one(workloads(*(f"a{n}" for n in range(TOGETHER + 3))), read))
    assert (len(next(batches)), given) == (TOGETHER, TOGETHER)
    assert len(next(batches)) == 3
