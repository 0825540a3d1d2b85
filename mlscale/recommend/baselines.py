"""How others would set the same workload, as settings that a replay can score; for comparison only.

The rules are those of public sources, applied to the demand of all pods together over a fixed count of pods:
robusta-dev/krr ``robusta_krr/strategies/simple.py``; gocrane/crane ``pkg/recommendation/recommender/hpa``;
kubernetes/autoscaler ``vertical-pod-autoscaler/pkg/recommender/logic``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_model import Setting
from mlscale.recommend.score import fixed

if TYPE_CHECKING:
    from mlscale.usage.model import FloatArray

_DAY = 86400.0


def api_default(request: float, most_replicas: int) -> Setting:
    """What the API makes of an HPA without metrics: 80 % of the request, from 1 (autoscaling/v2 defaults.go)."""
    return Setting(1, most_replicas, 80, request)


def krr_style(demand: FloatArray, replicas: int) -> Setting:
    """The count as it is, the request the 95th percentile of a pod's use, at least 10m, in whole millicores."""
    return fixed(replicas, _whole_milli(max(0.010, float(np.quantile(demand, 0.95)) / replicas)))


def vpa_style(demand: FloatArray, replicas: int, step: float) -> Setting:
    """The count as it is, the request the 90th percentile of use, halved in weight a day, and 15 %; at least 25m.

    ``step`` is in seconds between values of ``demand``.
    """
    age = np.arange(len(demand))[::-1] * step
    order = np.argsort(demand)
    weights = np.cumsum((0.5 ** (age / _DAY))[order])
    percentile = float(demand[order][np.searchsorted(weights, 0.9 * weights[-1])])
    return fixed(replicas, _whole_milli(max(0.025, percentile / replicas * 1.15)))


def crane_style(demand: FloatArray, replicas: int, request: float) -> Setting:
    """min serves the 95th percentile at half the request, max three times that at target; target 30 to 75 %.

    The target is the 99th percentile of a pod's use and 15 %.
    """
    high = float(np.quantile(demand, 0.95))
    use = float(np.quantile(demand, 0.99)) / replicas
    target = min(75, max(30, round(100 * use * 1.15 / request)))
    least = max(1, math.ceil(high / (0.5 * request)))
    return Setting(least, max(least, math.ceil(3 * high / (request * target / 100))), target, request)


def _whole_milli(cores: float) -> float:
    return math.ceil(round(cores * 1000, 6)) / 1000
