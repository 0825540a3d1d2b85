"""What goes on in a scenario's cluster beside Kubernetes itself: requests, measurements, other people's controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.gitops import start_gitops
from mlscale.sandbox.metrics_api import MetricsServer
from mlscale.sandbox.traffic import Traffic

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.kubelet import Kubelet
    from mlscale.sandbox.scenario import Scenario


class Life:
    """Goes on from the moment it is made; the API serves metrics from then on."""

    def __init__(self, cluster: Cluster, scenario: Scenario, kubelet: Kubelet, seed: int, start: datetime) -> None:
        """``start`` is when the scenario begins, after its warm-up; ``seed`` decides the noise of the demand."""
        self.traffic = Traffic(cluster, scenario, kubelet, seed, start)
        self.metrics = MetricsServer(cluster, kubelet, self.traffic)
        for gitops in scenario.gitops:
            start_gitops(cluster.api, gitops)
