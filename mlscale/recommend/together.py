"""Many judgements at once: their trials are run together, which costs a fraction of one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from mlscale.errors import MlscaleError
from mlscale.recommend.trial import run_trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.recommend.trial import Asked, Trial
    from mlscale.recommend.verdict import Judging

Answer = TypeVar("Answer")


def judge_together(judgings: Sequence[Judging[Answer]]) -> list[Answer | MlscaleError]:
    """The answer of each, or the MlscaleError that it raised."""
    answers: dict[int, Answer | MlscaleError] = {}
    waiting: dict[int, Asked] = {}

    def go_on(index: int, trial: Trial | None) -> None:
        try:
            # A generator is started by sending it None.
            waiting[index] = judgings[index].send(trial)  # type: ignore[arg-type]
        except StopIteration as end:
            answers[index] = end.value
        except MlscaleError as error:
            answers[index] = error

    for index in range(len(judgings)):
        go_on(index, None)
    while waiting:
        asked, waiting = waiting, {}
        for index, trial in zip(asked, _trials(list(asked.values())), strict=True):
            if isinstance(trial, MlscaleError):
                answers[index] = trial
            else:
                go_on(index, trial)
    return [answers[index] for index in range(len(judgings))]


def _trials(asked: Sequence[Asked]) -> list[Trial | MlscaleError]:
    """The outcome of each; one that cannot be tried does not keep the others from it."""
    try:
        return [*run_trials(asked)]
    except MlscaleError as error:
        if len(asked) == 1:
            return [error]
    return [_trials([one])[0] for one in asked]
