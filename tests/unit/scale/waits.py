"""What the tests of waiting wait for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.scale.model import ScalePlan
from tests.unit.scale.objects import pod

WEB = Target(DEPLOYMENT, "default", "web")
NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
CRASHING: Any = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


def plan(after: int, before: int = 1) -> ScalePlan:
    return ScalePlan(WEB, before, after)


def ready_pods(count: int, **more: Any) -> list[dict[str, Any]]:
    return [pod(f"web-{n}", **more) for n in range(count)]
