"""What ``recommend`` says about one workload: what limits it, what to do in which order, and what that comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlscale.hpa.spec import HpaOptions
    from mlscale.kube.targets import Target
    from mlscale.recommend.course import Course
    from mlscale.usage.model import FloatArray

Json = dict[str, Any]

LimitName = Literal[
    "CpuVarying",
    "CpuSteady",
    "CpuLimit",
    "Memory",
    "Gpu",
    "Downstream",
    "Cluster",
    "Ceiling",
    "Rival",
    "Idle",
    "Nothing",
]
"""What limits: ``Ceiling`` is both directions used up, ``Rival`` another autoscaler; ``Idle`` is too much of all."""
Confidence = Literal["high", "medium", "low"]
Method = Literal["none", "horizontal", "vertical", "autoscale", "autoscale-metric", "cheaper-model", "cluster"]
"""What to do; ``cluster`` is what only the cluster's owner can raise, ``autoscale-metric`` is not on CPU."""
Objective = Literal["cost", "balanced", "reliability"]
RowName = Literal["now", "recommended", "default"]


@dataclass(frozen=True)
class Limit:
    """One thing that limits the workload."""

    name: LimitName
    confidence: Confidence
    reasons: tuple[str, ...]
    """Clauses with the numbers that say so, the strongest first."""
    subject: str = ""
    """The container, resource or signal that it is about (``nvidia.com/gpu``); empty if none."""


@dataclass(frozen=True)
class Size:
    """What one container is to ask for; quantities as the API writes them, None for what is left unset."""

    container: str
    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None


@dataclass(frozen=True)
class Resize:
    """One container's size now and then."""

    now: Size
    then: Size
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One thing to do; steps are given in the order in which they are to be done."""

    method: Method
    why: str
    """A sentence."""
    command: str = ""
    """The line that does it; empty where no command of a workload's owner can."""
    manifest: Json | None = None
    """The HPA, KEDA's ScaledObject, or the part of the workload that a server-side apply sets."""
    replicas: int | None = None
    """For ``horizontal``."""
    hpa: HpaOptions | None = None
    """For an autoscale step that ``mlscale autoscale`` can do: its options."""
    hpa_name: str = ""
    resizes: tuple[Resize, ...] = ()
    """For ``vertical``."""


@dataclass(frozen=True)
class ScoreRow:
    """What one setting comes to on the held-out last part of the history."""

    name: RowName
    setting: str
    """For people: ``4 replicas``, ``2..12 at 60 % of 500m``."""
    pod_hours: float
    core_hours: float
    """Requested, not used."""
    gpu_hours: float
    unmet: float
    """The share of demand that went unserved, 0 to 1."""
    saturated_minutes: float
    changes_per_day: float
    peak_replicas: int
    replicas: Course | FloatArray | None = None
    """Shape (T,), beside ``HeldOut.times``."""
    capacity: Course | FloatArray | None = None
    """Cores that the ready pods could serve, of shape (T,)."""


@dataclass(frozen=True)
class HeldOut:
    """The last part of the history, which the search never saw."""

    times: FloatArray
    """Shape (T,): seconds since the epoch."""
    demand: NDArray[np.floating]
    """Cores of all pods together, of shape (T,)."""

    @property
    def hours(self) -> float:
        """Its length."""
        return float(self.times[-1] - self.times[0]) / 3600.0 if self.times.size else 0.0


@dataclass(frozen=True)
class HistoryFacts:
    """What the recommendation rests on."""

    source: str
    span: float
    """Seconds from the first sample to the last."""
    step: float
    """Seconds between samples."""
    gaps: int = 0
    """Stretches without samples."""


@dataclass(frozen=True)
class Gain:
    """What is to be gained a day; negative where more has to be spent."""

    core_hours: float = 0.0
    unmet: float = 0.0
    """The share of demand that would be served and is not now."""


@dataclass(frozen=True)
class Recommendation:
    """The answer for one workload."""

    target: Target
    verdict: str
    """One sentence."""
    method: Method
    """Of the first step; ``none`` where there is none."""
    limits: tuple[Limit, ...]
    steps: tuple[Step, ...]
    history: HistoryFacts
    reasons: tuple[str, ...] = ()
    """Sentences, beyond the reasons of the limits: how the numbers were chosen."""
    scores: tuple[ScoreRow, ...] = ()
    """now, recommended, default; empty where nothing was replayed."""
    held_out: HeldOut | None = None
    notes: tuple[str, ...] = ()
    """What could not be read, checked or replayed, and what to know before applying."""
    differs: bool = False
    """Whether what runs differs from what is recommended by more than its noise."""
    gain: Gain = field(default_factory=Gain)

    @property
    def commands(self) -> tuple[str, ...]:
        """The lines to run, in order."""
        return tuple(step.command for step in self.steps if step.command)

    @property
    def manifests(self) -> tuple[Json, ...]:
        """What to commit, in order."""
        return tuple(step.manifest for step in self.steps if step.manifest is not None)

    def row(self, name: RowName) -> ScoreRow | None:
        """The row of the table called ``name``, if it was replayed."""
        return next((row for row in self.scores if row.name == name), None)
