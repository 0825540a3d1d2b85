"""What a replay takes and gives: settings side by side, how the cluster reacts, and what each setting comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlscale.hpa.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]
CountArray = NDArray[np.int32]
Counts = NDArray[np.float32]
"""Replica counts on their way: whole numbers below 2**24, which single precision holds exactly."""

DEFAULT_WINDOW = 300.0
"""Seconds: ``--horizontal-pod-autoscaler-downscale-stabilization`` where nobody changed it."""
_MILLI = 1000


@dataclass(frozen=True)
class Setting:
    """One HPA on the use of CPU, a percentage of the request; with ``min_replicas == max_replicas`` a fixed count."""

    min_replicas: int
    max_replicas: int
    target: int
    """In per cent of the request."""
    request: float
    """In cores a pod."""
    down_window: float = DEFAULT_WINDOW
    """The stabilization window down in seconds."""
    up_window: float = 0.0
    """The stabilization window up in seconds."""

    @property
    def has_behavior(self) -> bool:
        """Whether it needs ``spec.behavior``: the API has no other place for a window."""
        return self.down_window != DEFAULT_WINDOW or self.up_window != 0


@dataclass(frozen=True)
class Candidates:
    """K settings side by side, arrays of shape (K,); policies are the API's defaults.

    A candidate with both windows at their defaults is an HPA without ``spec.behavior``, whose controller takes
    another path (kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2).
    """

    min_replicas: FloatArray
    max_replicas: FloatArray
    target: FloatArray
    """In per cent of the request, whole numbers."""
    request: FloatArray
    """In cores a pod."""
    down_window: FloatArray
    """In seconds."""
    up_window: FloatArray
    """In seconds."""

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, index: int) -> Setting:
        """The candidate at ``index`` alone."""
        return Setting(
            min_replicas=int(self.min_replicas[index]),
            max_replicas=int(self.max_replicas[index]),
            target=int(self.target[index]),
            request=float(self.request[index]),
            down_window=float(self.down_window[index]),
            up_window=float(self.up_window[index]),
        )

    def chosen(self, index: NDArray[np.intp]) -> Candidates:
        """Those at ``index``, in its order."""
        return Candidates(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def has_behavior(self) -> NDArray[np.bool_]:
        """Which need ``spec.behavior``."""
        return np.not_equal(self.down_window, DEFAULT_WINDOW) | np.not_equal(self.up_window, 0.0)

    @property
    def request_milli(self) -> FloatArray:
        """Requests in millicores, rounded up as quantities are."""
        return np.ceil(np.round(self.request * _MILLI, 6))


def candidates_of(settings: Sequence[Setting]) -> Candidates:
    """``settings`` side by side."""
    columns = {
        field.name: np.array([getattr(setting, field.name) for setting in settings], dtype=np.float64)
        for field in fields(Candidates)
    }
    return Candidates(**columns)


@dataclass(frozen=True)
class World:
    """How the cluster reacts; times in seconds.

    Demand that the pods cannot serve is lost, not queued. A pod takes part in the load from ``startup`` on and
    leaves it at once when it is deleted; the newest pods are deleted first, as the ReplicaSet controller does
    among pods alike in all else (kubernetes pkg/controller/controller_utils.go, ActivePodsWithRanks).
    """

    sync_period: float = 15.0
    metric_lag: float = 15.0
    """How old a sample is when the controller reads it: metrics-server scrapes every 15 s as shipped."""
    metric_window: float = 15.0
    """The time that a sample is the mean of."""
    startup: float = 30.0
    """From a pod's creation until it is Ready."""
    cpu_initialization_period: float = 300.0
    tolerance: Tolerance = field(default_factory=Tolerance)
    limit: float = math.inf
    """Cores: a pod's use is never measured above it."""
    capacity: float | None = None
    """Cores that a pod can serve; None: its limit, and without one its request, which alone is promised."""
    gpus: float = 0.0
    """GPUs a pod."""

    @property
    def lag_syncs(self) -> int:
        """The age of a sample in whole syncs."""
        return round(self.metric_lag / self.sync_period)

    @property
    def ready_syncs(self) -> int:
        """The age in syncs from which a pod serves."""
        return math.ceil(self.startup / self.sync_period)

    @property
    def counted_syncs(self) -> int:
        """The age in syncs from which the controller counts a pod as ready (its rule for CPU).

        Ready at 30 s, samples 15 s old over 15 s: counted at 60 s, when a whole sample lies behind readiness. Past
        the CPU initialization period the sample is not looked at.
        """
        whole_sample = self.startup + self.lag_syncs * self.sync_period + self.metric_window
        age = max(self.startup, min(self.cpu_initialization_period, whole_sample))
        return max(1, math.ceil(age / self.sync_period))

    @property
    def measured_syncs(self) -> int:
        """The age in syncs from which a pod's sample shows a share of the load."""
        return self.ready_syncs + self.lag_syncs + 1

    @property
    def limit_milli(self) -> float:
        """The limit in millicores, rounded up; infinite without one."""
        return math.ceil(round(self.limit * _MILLI, 6)) if math.isfinite(self.limit) else math.inf

    def windows_syncs(self, windows: FloatArray) -> NDArray[np.intp]:
        """How many recommendations, this sync's too, are younger than ``windows`` seconds."""
        return np.maximum(1, np.ceil(windows / self.sync_period)).astype(np.intp)

    def capacity_of(self, request: FloatArray) -> FloatArray:
        """Cores that one pod with ``request`` can serve."""
        if self.capacity is not None:
            return np.full_like(request, self.capacity)
        return np.full_like(request, self.limit) if math.isfinite(self.limit) else request


@dataclass(frozen=True)
class Run:
    """What is to be replayed: settings on the demand of one workload."""

    demand: FloatArray
    """Shape (T,): cores of all pods together, one value a sync."""
    candidates: Candidates
    world: World
    first_replicas: int
    """That were there long before."""


@dataclass(frozen=True)
class Score:
    """What each of K candidates comes to, arrays of shape (K,)."""

    pod_hours: FloatArray
    """Of all pods that exist, those that are still starting too."""
    core_hours: FloatArray
    """Requested, not used."""
    gpu_hours: FloatArray
    unmet: FloatArray
    """The share of demand that the ready pods could not serve, 0 to 1."""
    saturated_minutes: FloatArray
    """In which some demand went unmet."""
    changes_per_day: FloatArray
    peak_replicas: FloatArray

    def chosen(self, index: NDArray[np.intp]) -> Score:
        """Those at ``index``, in its order."""
        return Score(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


@dataclass(frozen=True)
class Trajectory:
    """Replicas over time, arrays of shape (T, K): row t holds from sync t until the next one."""

    replicas: CountArray
    """Wanted by the controller, so the pods that exist."""
    ready: CountArray
    """Pods that serve."""
