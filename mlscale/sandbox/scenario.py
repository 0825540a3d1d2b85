"""What a scenario says: the nodes, the objects that are there at first, and how the workloads behave.

Times are seconds of simulated time, rates requests per second, CPU cores, memory bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

DAY = 86_400.0


@dataclass(frozen=True)
class NodePool:
    """Nodes that are alike. ``name`` holds ``{index}``, which counts from 0."""

    name: str
    count: int
    allocatable: Json
    """A ResourceList: cpu, memory, pods, nvidia.com/gpu."""
    labels: Json = field(default_factory=dict)
    taints: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Startup:
    """How a pod comes up and goes down."""

    pull: float = 0.0
    """Of an image that its node does not have yet."""
    load: float = 0.0
    """From the container's start until it can serve: the model is read in."""
    load_cpu: float = 0.0
    """Cores in use meanwhile."""
    stop: float = 0.0
    """From SIGTERM until the container has ended; the grace period cuts it short."""


@dataclass(frozen=True)
class Crash:
    """A container that ends by itself, so long after each start."""

    after: float
    exit_code: int = 1
    images: str = "*"
    """Only with an image of this pattern (fnmatch)."""


@dataclass(frozen=True)
class Service:
    """What one request costs, and what a pod needs without any."""

    cpu_seconds: float = 0.0
    gpu_seconds: float = 0.0
    wait_seconds: float = 0.0
    """Waiting for others: a feature store, a database."""
    concurrency: int = 16
    """Requests that a pod works on at once; the others queue."""
    timeout: float = 30.0
    """A request that would wait longer is dropped."""
    downstream_rate: float = float("inf")
    """The most that what it calls answers, for all pods together."""
    idle_cpu: float = 0.01
    memory: int = 64 * 2**20
    """The working set of a loaded pod without requests."""
    memory_per_request: int = 0
    """Of each request that is worked on or queues."""
    memory_growth: float = 0.0
    """Bytes per second since the container's start: a leak."""

    @property
    def seconds(self) -> float:
        """How long a request takes on a pod that has nothing else to do."""
        return self.cpu_seconds + self.gpu_seconds + self.wait_seconds


@dataclass(frozen=True)
class Daily:
    """Day and night: the rate swings between ``low`` and ``high`` as a cosine, highest at ``peak``."""

    low: float
    high: float
    peak: float = 14 * 3600.0
    """Seconds after midnight."""


@dataclass(frozen=True)
class Spike:
    """An extra ``rate`` from ``at`` on for ``lasts``; again each ``every``, where that is not 0."""

    at: float
    """Seconds after the scenario's start."""
    lasts: float
    rate: float
    every: float = 0.0


@dataclass(frozen=True)
class Demand:
    """The requests that come in, as the sum of its parts, with relative ``noise`` (standard deviation)."""

    base: float = 0.0
    daily: Daily | None = None
    spikes: tuple[Spike, ...] = ()
    noise: float = 0.0


@dataclass(frozen=True)
class Workload:
    """How the pods of one namespace that carry ``labels`` behave."""

    name: str
    namespace: str
    labels: Json
    container: str = ""
    """The one that serves; the first where this is empty."""
    startup: Startup = Startup()
    crash: Crash | None = None
    service: Service = Service()
    demand: Demand = Demand()


@dataclass(frozen=True)
class GitOps:
    """A field manager that brings the replicas of a workload back to what its repository says."""

    manager: str
    resource: str
    """``deployments.apps``."""
    namespace: str
    name: str
    replicas: int
    every: float


@dataclass(frozen=True)
class Scenario:
    """A named lesson."""

    name: str
    story: str
    """One line."""
    nodes: tuple[NodePool, ...]
    objects: tuple[Json, ...] = ()
    """Created in this order, before ``warm_up``."""
    workloads: tuple[Workload, ...] = ()
    gitops: tuple[GitOps, ...] = ()
    registry: tuple[str, ...] = ()
    """Images that are there. Another tag of a repository that is named here cannot be pulled; other images can."""
    clock: float = 8 * 3600.0
    """The time of day at the scenario's start, in seconds after midnight."""
    warm_up: float = 0.0
    """So long before its start the cluster is set up; then the workloads are in full swing at the start."""
    history: float = 0.0
    """How far back a Prometheus knows its workloads at the start; there is none where this is 0."""
