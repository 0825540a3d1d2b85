"""From limits and replays to the answer: which steps, in which order, in one sentence."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mlscale.hpa.spec import HpaSettings
from mlscale.hpa.thresholds import judge_thresholds, read_thresholds
from mlscale.kube.text import counted, printable
from mlscale.recommend.bottleneck import THROTTLED, is_limited_by, percent
from mlscale.recommend.governors import spec_writers
from mlscale.recommend.gpu import cheaper_step, fewer_steps, gpu_steps
from mlscale.recommend.model import Gain, HistoryFacts, Recommendation
from mlscale.recommend.sizing import LEAST_DAYS
from mlscale.recommend.steps import Sizes, cluster_steps, load_step, plan_vertical, rival_steps, vertical_steps
from mlscale.recommend.trial import Asked, Trial
from mlscale.recommend.trial_plan import plan_trial
from mlscale.recommend.workload_notes import workload_notes
from mlscale.recommend.zero import read_rest, zero_note, zero_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Limit, LimitName, Step
    from mlscale.recommend.search import Aim
    from mlscale.recommend.signs import Signs
    from mlscale.recommend.zero import Rest
    from mlscale.usage.model import History

Answer = TypeVar("Answer")

DAY = 86400.0
WORTH_ZERO = 0.25
"""Share of the time at rest from which scaling to zero is worth its cold starts."""
LEAST_REPLAYED = 3600.0
"""Seconds of history without which nothing is replayed: its last part would be minutes."""


@dataclass(frozen=True)
class Judged:
    """What was found before a sentence is made of it."""

    limits: tuple[Limit, ...]
    steps: tuple[Step, ...]
    trial: Trial | None
    sizes: Sizes
    history_is_short: bool = False


Judging = Generator[Asked, Trial, Answer]
"""A judgement that stops where it needs a trial, so that those of many workloads can be run together."""


def judge(
    facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...], history: History, aim: Aim
) -> Judging[Recommendation]:
    """The answer for one workload: yields what is to be tried, is sent the outcome, and returns the answer."""
    judged = yield from choose_steps(facts, signs, limits, history, aim)
    trial, steps = judged.trial, judged.steps
    return Recommendation(
        target=facts.target,
        verdict=verdict(facts, signs, judged),
        method=steps[0].method if steps else "none",
        limits=limits,
        steps=steps,
        history=HistoryFacts(history.source, history.span, history.step, len(history.gaps)),
        reasons=tuple(_reasons(judged, history)),
        scores=trial.rows if trial else (),
        held_out=trial.held_out if trial else None,
        notes=(*workload_notes(facts), *_notes(facts, signs, judged, history)),
        differs=bool(steps),
        gain=_gain(facts, signs, judged),
    )


def choose_steps(
    facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...], history: History, aim: Aim
) -> Judging[Judged]:
    """The steps; fewer copies raise what each of them uses, so an idle workload is resized only where none can go."""
    sizes = plan_vertical(facts, signs, limits)
    if sizes.resizes and is_limited_by(limits, "Idle"):
        as_it_is = Sizes((), signs.cpu_request)
        trial = yield from try_settings(facts, signs, limits, history, as_it_is, aim)
        if trial is not None and load_step(facts, trial) is not None:
            steps = plan_steps(facts, signs, limits, as_it_is, trial, history)
            return Judged(limits, tuple(steps), trial, as_it_is)
    trial = yield from try_settings(facts, signs, limits, history, sizes, aim)
    short = history.span < LEAST_REPLAYED
    return Judged(limits, tuple(plan_steps(facts, signs, limits, sizes, trial, history)), trial, sizes, short)


def try_settings(
    facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...], history: History, sizes: Sizes, aim: Aim
) -> Judging[Trial | None]:
    """Replays, where CPU use is the demand to replay: not behind a tight limit, a GPU or something downstream."""
    if is_limited_by(limits, "Cluster", "CpuLimit", "Gpu", "Downstream", "Ceiling") or sizes.request is None:
        return None
    if signs.gpus or len(facts.hpas) > 1 or history.span < LEAST_REPLAYED:
        return None
    return (yield Asked(facts, history, plan_trial(facts, signs, sizes.request, signs.cpu_limit, aim)))


def plan_steps(
    facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...], sizes: Sizes, trial: Trial | None, history: History
) -> Iterator[Step]:
    """In the order in which they help: what only the cluster's owner can do, one hand, sizes, then the count."""
    if is_limited_by(limits, "Cluster"):
        yield from cluster_steps(limits)
        return
    yield from rival_steps(facts, limits)
    if is_limited_by(limits, "Ceiling"):
        yield cheaper_step(signs)
        return
    urgent = is_urgent(limits, sizes)
    if urgent:
        yield from vertical_steps(facts, sizes)
    if is_limited_by(limits, "Gpu"):
        yield from gpu_steps(facts, signs)
    if signs.gpus and is_limited_by(limits, "Idle") and signs.days >= LEAST_DAYS:
        yield from fewer_steps(facts, signs)
    load = load_step(facts, trial) if trial else None
    if load is not None:
        yield load
    if not urgent:
        yield from vertical_steps(facts, sizes)
    if signs.days >= LEAST_DAYS:
        yield from zero_steps(facts, signs, read_rest(history), trial)


def is_urgent(limits: tuple[Limit, ...], sizes: Sizes) -> bool:
    """Whether the sizes come before the count: they are what limits, or CPU requests that replicas are counted by."""
    cpu = any(resize.then.cpu_request != resize.now.cpu_request for resize in sizes.resizes)
    return cpu or is_limited_by(limits, "CpuLimit", "Memory")


def verdict(facts: WorkloadFacts, signs: Signs, judged: Judged) -> str:
    """What limits, and what to do about it, in one sentence."""
    return f"{_cause(signs, judged)}: {_advice(facts, judged)}"


_CAUSES: dict[LimitName, str] = {
    "Cluster": "The cluster has no room for the pods that it should have",
    "Rival": "Its replicas have more than one owner",
    "CpuLimit": "The CPU limit of container {subject} holds it down",
    "Memory": "Memory limits each copy of container {subject}, and more copies do not lower that",
    "Gpu": "{subject} is the bound, and CPU does not show it",
    "CpuVarying": "CPU is the bound and demand varies",
    "CpuSteady": "CPU is the bound and demand is steady",
    "Downstream": "It waits for something else, while its own CPU is idle",
    "Ceiling": "Neither more nor larger pods are to be had",
    "Idle": "It asks for far more than it uses",
    "Nothing": "Nothing that was seen limits it",
}


def _cause(signs: Signs, judged: Judged) -> str:
    first = judged.limits[0]
    if first.name == "Nothing" and signs.hpa_blind and signs.unrequested:
        return "Its HPA cannot scale without the CPU requests that its target is a share of"
    if first.name == "Nothing" and any(step.resizes for step in judged.steps):
        return "Nothing that was seen limits it, but its sizes do not fit its use"
    return _CAUSES[first.name].format(subject=printable(first.subject))


def _advice(facts: WorkloadFacts, judged: Judged) -> str:
    if not judged.steps:
        return _leave(facts, judged)
    step = judged.steps[0]
    if step.method == "vertical" and is_limited_by(judged.limits, "CpuLimit"):
        return "raise it, then judge again, since the use so far shows what was allowed and not what is needed"
    # CPU and In ScaledObject keep their capitals, other sentences go on in lower case.
    first = step.why[:1] if step.why[1:2].isupper() else step.why[:1].lower()
    return f"{first}{step.why[1:].rstrip('.')}"


def _leave(facts: WorkloadFacts, judged: Judged) -> str:
    name = judged.limits[0].name
    if name == "Downstream":
        return "more copies will not help; look at what it calls (storage, network, a service behind it)"
    if judged.trial is not None:
        return f"leave it, {counted(judged.trial.tried, 'other setting')} did no better by more than chance"
    if judged.history_is_short:
        return "no numbers are derived from so short a history; give one of a day or more, with Prometheus or --samples"
    return f"leave it at {counted(facts.replicas, 'replica')}, there is nothing that would help"


def _reasons(judged: Judged, history: History) -> Iterator[str]:
    trial = judged.trial
    if trial is None:
        return
    hours = trial.held_out.hours
    yield (
        f"{counted(trial.tried, 'setting')} were compared on the first {_span(history.span - hours * 3600)} of "
        f"{_span(history.span)}; the table is of the last {_span(hours * 3600)}, which that search never saw."
    )
    if not trial.within_budget:
        yield "No setting that fits keeps unmet demand within the budget; the one given leaves the least."
    if not trial.better:
        yield "The replicas that run are within the noise of the best."
    if trial.outgrown:
        yield "It uses more CPU than its pods ask for or may have: no saving is looked for before that is mended."


def _notes(facts: WorkloadFacts, signs: Signs, judged: Judged, history: History) -> Iterator[str]:
    yield from _about_history(signs, history)
    if judged.trial is not None:
        yield from _about_trial(facts, judged.trial)
    yield from _about_hpa(facts)
    if any("--force-conflicts" in step.command for step in judged.steps):
        writers = ", ".join(map(printable, spec_writers(facts)))
        yield f"{writers} set the spec of its HPA, which --force-conflicts takes over; a tool among them sets it back"
    if signs.days >= LEAST_DAYS:
        yield from _about_rest(facts, signs, read_rest(history))
    if signs.hpa_blind:
        yield f"its HPA does not scale: {signs.hpa_blind}"
    if is_limited_by(judged.limits, "CpuLimit"):
        yield "replicas and targets are not derived from use that a limit held down"
    elif held_down := [c for c in signs.containers if (c.throttled or 0.0) >= THROTTLED]:
        names = ", ".join(printable(container.name) for container in held_down)
        yield (
            f"container {names} was held at its CPU limit at times: what was needed then is not known, and the table "
            "counts what was used; judge again once there are more copies"
        )
    if signs.gpus and signs.hpa_target is not None:
        yield "its HPA scales on CPU, which does not show the load of a GPU: a queue or the requests that run do"


def _about_rest(facts: WorkloadFacts, signs: Signs, rest: Rest | None) -> Iterator[str]:
    """What scaling to zero would save; where no signal tells requests, only that there would be something to save."""
    if rest is not None:
        if note := zero_note(facts, signs, rest):
            yield note
    elif signs.at_rest >= WORTH_ZERO:
        how = (
            "KEDA, which is installed,"
            if facts.keda
            else "KEDA, or an HPA on an external metric from Kubernetes 1.37 on,"
        )
        yield f"it is at rest {percent(signs.at_rest)} of the time: {how} can scale it to zero then"


def _about_history(signs: Signs, history: History) -> Iterator[str]:
    if history.span < DAY:
        yield f"the history is of {_span(history.span)}: a day's course cannot be seen in it"
    if history.gaps:
        yield f"the history has {counted(len(history.gaps), 'gap')}, over which the last value was held"
    if signs.room is None:
        yield "whether the replicas fit the nodes and quotas could not be checked"
    if signs.gpus and not signs.signals:
        yield "no signal of its GPUs or model server was found (DCGM, vLLM, Triton, TorchServe, Ray Serve)"


def _about_trial(facts: WorkloadFacts, trial: Trial) -> Iterator[str]:
    if trial.now_recorded:
        yield "the row now is what was recorded: what scales it is not CPU use alone, so it was not replayed"
    if not trial.returns_to_min:
        yield f"at its least use it does not come back to {trial.setting.min_replicas} replicas"
    if facts.hpa is not None and (facts.hpa["spec"].get("behavior") or {}):
        yield "its HPA has a spec.behavior, which stays; what is recommended was replayed with the API's own policies"


def _about_hpa(facts: WorkloadFacts) -> Iterator[str]:
    """What keeps the HPA that is there from working as meant: a target out of reach, a min it never comes back to."""
    if facts.hpa is None:
        return
    spec = facts.hpa["spec"]
    settings = HpaSettings(
        spec["maxReplicas"], spec.get("minReplicas"), tuple(spec.get("metrics") or ()), spec.get("behavior")
    )
    for finding in judge_thresholds(settings, read_thresholds(settings, facts.pod_spec, [])):
        if finding.level == "warning":
            yield f"its HPA now: {finding.message}"


def _gain(facts: WorkloadFacts, signs: Signs, judged: Judged) -> Gain:
    trial = judged.trial
    if trial is not None and trial.better:
        return Gain(core_hours=trial.saved_core_hours, unmet=trial.served)
    if not any(step.resizes for step in judged.steps):
        return Gain()
    saved = (signs.cpu_request or 0.0) - (judged.sizes.request or 0.0)
    return Gain(core_hours=saved * facts.replicas * 24.0)


def _span(seconds: float) -> str:
    """``2 min``, ``5 h``, ``3.5 d``."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size or (unit == "min"):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
