"""One simulated cluster: its objects, its time, its control plane, and what its pods do."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import Agenda
from mlscale.sandbox.controllers.control_plane import start_control_plane
from mlscale.sandbox.controllers.namespaces import create_first_namespaces
from mlscale.sandbox.controllers.nodes import new_node
from mlscale.sandbox.history_record import Recorder
from mlscale.sandbox.hpa_controller import HpaController
from mlscale.sandbox.kubelet import Kubelet
from mlscale.sandbox.life import Life
from mlscale.sandbox.prometheus_service import prometheus_objects
from mlscale.sandbox.scenario_fields import ScenarioError
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store
from mlscale.sandbox.verbs import Api, Caller

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.scenario import Scenario

Json = dict[str, Any]

AUTHOR = Caller("kubernetes-admin", "kubectl-create", ("system:masters", "system:authenticated"))
"""Who has created the objects of a scenario."""


class Simulation:
    """The cluster of a scenario. The same scenario, seed, start and writes make the same run, to the byte."""

    def __init__(self, scenario: Scenario, seed: int, start: datetime) -> None:
        """Set the cluster up so that it is warm at ``start`` (with a time zone).

        Raises ScenarioError when the API refuses an object of the scenario.
        """
        self.scenario = scenario
        self.agenda = Agenda(start - timedelta(seconds=scenario.warm_up))
        self.store = Store()
        self.api = Api(self.store, self.agenda, Random(f"{seed}/api"))
        self.cluster = start_control_plane(self.api, self.store, self.agenda, Random(f"{seed}/control plane"))
        self.kubelet = Kubelet(self.cluster, scenario)
        self.life = Life(self.cluster, scenario, self.kubelet, seed, start)
        HpaController(self.cluster)
        self._create_objects()
        self.advance(start)
        self.recorder = Recorder(self.cluster, scenario, self.kubelet, self.life.traffic, seed, start)
        """What a Prometheus finds here."""

    def advance(self, to: datetime) -> None:
        """Let simulated time pass until ``to``; time that lies behind changes nothing but works off what waits."""
        self.agenda.advance(max(to, self.agenda.now))

    def settle(self) -> None:
        """Work off what writes have set going, at the present moment."""
        self.agenda.advance(self.agenda.now)

    def _create_objects(self) -> None:
        create_first_namespaces(self.api)
        self.settle()
        for pool in self.scenario.nodes:
            for index in range(pool.count):
                self._create(new_node(pool, index, self.agenda.now))
        for obj in (*self.scenario.objects, *prometheus_objects(self.scenario)):
            self._create(obj)
            self.settle()

    def _create(self, obj: Json) -> None:
        metadata = obj.get("metadata") or {}
        resource = self._resource_of(obj)
        namespace = metadata.get("namespace", "default") if resource.kind.namespaced else ""
        try:
            self.api.create(resource, namespace, obj, AUTHOR)
        except StatusError as error:
            named = f"{obj['kind']} {metadata.get('name')}"
            raise ScenarioError(f"scenario {self.scenario.name}: {named} is refused: {error.message}") from error

    def _resource_of(self, obj: Json) -> Resource:
        for resource in self.api.resources.values():
            if (resource.kind.api_version, resource.kind.kind) == (obj.get("apiVersion"), obj.get("kind")):
                return resource
        named = f"{obj.get('apiVersion')} {obj.get('kind')}"
        raise ScenarioError(f"scenario {self.scenario.name}: the sandbox does not serve {named}")
