"""What `scale` is asked and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlscale.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.errors import MlscaleError
    from mlscale.kube.client import Json
    from mlscale.kube.finding import Finding
    from mlscale.kube.fit import Fit
    from mlscale.kube.targets import Target

DryRun = Literal["none", "client", "server"]

WAIT_TIMEOUT = 300.0
"""Seconds that --wait waits where no --timeout was given."""


@frozen
class ScaleRequest:
    """How to scale; the same for every target."""

    replicas: int
    current_replicas: int | None = None
    resource_version: str = ""
    dry_run: DryRun = "none"
    timeout: float = 0.0
    """Seconds to wait; 0 without ``wait`` means not at all."""
    wait: bool = False
    """Wait until the new pods are Ready or the removed ones gone, not only for the counts."""
    strict: bool = False
    """Refuse where an owner would set the replicas back, or where not all new copies fit."""

    @property
    def has_precondition(self) -> bool:
        """Whether the write depends on what is there."""
        return self.current_replicas is not None or bool(self.resource_version)


@frozen
class ScalePlan:
    """What scaling one target would do, before anything is written."""

    target: Target
    before: int | None
    """spec.replicas as read; None where it could not be read."""
    after: int
    owners: tuple[Finding, ...] = ()
    """Who else sets the replicas, and what they will do."""
    room: tuple[Finding, ...] = ()
    """What keeps new copies from fitting; empty where all fit or that was not asked."""
    fit: Fit | None = None
    """How many of the new copies fit; None where that was not asked or adds no copies."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found."""
        return (*self.owners, *self.room)


@frozen
class ScaleOutcome:
    """What became of one target. ``written`` says whether the server stored the new count, also when
    ``error`` is set: a wait can fail after the write was done."""

    plan: ScalePlan
    object: Json
    """The object with spec.replicas set, as kubectl prints it with -o."""
    written: bool
    error: MlscaleError | None = None


@frozen
class Clock:
    """``now`` in monotonic seconds, and ``sleep``."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


@frozen
class Progress:
    """How far a wait has come."""

    target: Target
    ready: int
    wanted: int
    removed: int
    """Pods that are still to go."""
    reasons: tuple[str, ...]
    causes: tuple[str, ...] = ()
    """The CamelCase reasons alone, which stay while the names of the pods change."""
    """Why it is not done yet, where pods or their controller say so."""

    @property
    def sentence(self) -> str:
        """``2 of 5 pods ready, 1 still to go: 3 pods Unschedulable: …``."""
        going = f", {self.removed} still to go" if self.removed else ""
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.ready} of {self.wanted} pods ready{going}{why}"
