"""All control loops of the simulated cluster, started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.controllers.cluster import Cluster
from mlscale.sandbox.controllers.compactor import Compactor
from mlscale.sandbox.controllers.deployments import DeploymentController
from mlscale.sandbox.controllers.events import EventExpiry
from mlscale.sandbox.controllers.garbage import GarbageCollector
from mlscale.sandbox.controllers.namespaces import NamespaceController
from mlscale.sandbox.controllers.nodes import NodeController
from mlscale.sandbox.controllers.quotas import QuotaController
from mlscale.sandbox.controllers.replicas import REPLICASETS, REPLICATIONCONTROLLERS, ReplicaController
from mlscale.sandbox.controllers.scheduler import Scheduler
from mlscale.sandbox.controllers.statefulsets import StatefulSetController

if TYPE_CHECKING:
    import random

    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.store import Store
    from mlscale.sandbox.verbs import Api


def start_control_plane(api: Api, store: Store, agenda: Agenda, random: random.Random) -> Cluster:
    """Start kube-controller-manager's loops and kube-scheduler; they react to what is written from now on.

    What they have to do is done when the agenda next advances, at the moment at which they saw it.
    """
    cluster = Cluster(api, store, agenda, random)
    NamespaceController(cluster)
    NodeController(cluster)
    DeploymentController(cluster)
    ReplicaController(cluster, REPLICASETS)
    ReplicaController(cluster, REPLICATIONCONTROLLERS)
    StatefulSetController(cluster)
    Scheduler(cluster)
    QuotaController(cluster)
    GarbageCollector(cluster)
    cluster.watch("events", EventExpiry(store, agenda).observe)
    Compactor(store, agenda)
    return cluster
