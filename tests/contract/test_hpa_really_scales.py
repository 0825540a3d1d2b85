"""An HPA that mlscale created does its work: the real controller adds pods when the pods use more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cluster import manifests
from tests.cluster.access import Cluster, Run, poll

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.cluster

ROW = re.compile(r"^web +Deployment/web +cpu: (\d+)%/50% +2 +5 +(\d+) +\S+$", re.MULTILINE)


def test_pods_that_use_more_get_more_pods_beside_them(
    cluster: Cluster, namespace: str, kubectl: Run, mlscale: Run
) -> None:
    cluster.apply(manifests.deployment("web", 2, requests={"cpu": "500m"}, usage_cpu="250m"), namespace)
    assert mlscale("scale", "web", "--replicas", "2", "--wait", "--timeout", "60s").returncode == 0
    assert mlscale("autoscale", "web", "--min", "2", "--max", "5", "--cpu", "50").returncode == 0
    # 250m of 500m is the target itself, so the two pods stay alone.
    assert poll(lambda: _row(mlscale), 150, "use in status") == (50, 2)

    # 3 x 500m in each of two pods is 300 %: 2 x 300 / 50 = 12, which the maximum cuts to 5.
    kubectl("annotate", "pods", "-l", "app=web", "--overwrite", "kwok.x-k8s.io/usage-cpu=1500m")
    poll(lambda: _row(mlscale, replicas=5), 150, "5 replicas in status")
    assert kubectl("rollout", "status", "deployment/web", "--timeout=60s").returncode == 0
    status = mlscale("status", "web")
    assert "deployment.apps/web   5/5" in status.stdout
    # Two pods at 300 % and three new ones at 50 % are 150 % on average, still more than the target.
    assert poll(lambda: _limited(mlscale), 150, "reason for stopping at 5")


def _row(mlscale: Run, replicas: int | None = None) -> tuple[int, int] | None:
    """Use in per cent and replicas of the HPA's row; None before there is a use, or as many replicas."""
    row = ROW.search(_hpa_table(mlscale).stdout)
    found = (int(row[1]), int(row[2])) if row else None
    return None if found and replicas not in (None, found[1]) else found


def _limited(mlscale: Run) -> bool:
    said = _hpa_table(mlscale).stderr
    return "web" in said and "5" in said and "max" in said


def _hpa_table(mlscale: Run) -> subprocess.CompletedProcess[str]:
    return mlscale("status", "--only", "hpa")
