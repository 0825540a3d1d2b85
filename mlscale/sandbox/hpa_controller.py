"""The HPA controller of the simulated cluster: mlscale's own rules of the HPA, fed from its objects and metrics.

What it reads, writes and says is that of kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2; an HPA is
looked at when it is made and when its spec changes, and 15 s after the last time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Workload
from mlscale.hpa.reconcile import (
    Decision,
    Refusal,
    Seen,
    ambiguous_selector,
    decide,
    invalid_selector,
    missing_selector,
    not_rescaled,
    rescaled,
    without_scale,
)
from mlscale.hpa.samples import pod_facts
from mlscale.hpa.scaling_spec import read_scaling_spec
from mlscale.kube.kinds import HPA
from mlscale.sandbox.hpa_readings import MetricsReader
from mlscale.sandbox.hpa_status import conditions_of, equal_statuses, status_of
from mlscale.sandbox.selectors import matches, parse_label_selector
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from mlscale.hpa.reconcile import Event
    from mlscale.hpa.scaling_spec import ScalingSpec
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.selectors import Requirement
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

NAME = "horizontal-pod-autoscaler"
FLAGS = ControllerFlags(keeps_edge=False)
"""The runs here are exactly 15 s apart; a real controller's are a little more, so no age ends on a window's edge."""


class NoScaleError(Exception):
    """The scale of a target cannot be read, in the words of the client that asks for it."""


class HpaController:
    """Follows each HPA."""

    def __init__(self, cluster: Cluster, flags: ControllerFlags = FLAGS) -> None:
        self._cluster = cluster
        self._metrics = MetricsReader(cluster.api)
        self._flags = flags
        self._events = cluster.recorder(NAME)
        self._memories: dict[Key, Memory] = {}
        self._selectors: dict[Key, tuple[Requirement, ...]] = {}
        cluster.queue.register(NAME, self._sync)
        cluster.watch(HPA.resource, self._observe)

    def _observe(self, change: Change) -> None:
        key = _key(change.object)
        if change.type == "DELETED":
            self._selectors.pop(key, None)
        elif change.before is None or _generation(change.before) != _generation(change.object):
            self._cluster.queue.add(NAME, key)
        else:
            self._cluster.queue.add_after(NAME, key, self._flags.sync_period)

    def _sync(self, key: Key) -> None:
        hpa = self._cluster.store.get(HPA.resource, *key)
        if hpa is None:
            # Not at the deletion: one that is made again within 15 s takes over what was remembered.
            self._memories.pop(key, None)
            self._cluster.queue.forget(NAME, key)
            return
        self._reconcile(key, hpa)
        self._cluster.queue.add_after(NAME, key, self._flags.sync_period)

    def _reconcile(self, key: Key, hpa: Json) -> None:
        now = self._cluster.agenda.now.timestamp()
        conditions = conditions_of(hpa)
        try:
            resource, scale = self._scale_of(key[0], hpa["spec"]["scaleTargetRef"])
        except NoScaleError as error:
            failed, event = without_scale(conditions, str(error), now)
            self._write_status(hpa, status_of(hpa, failed))
            self._record(hpa, [event])
            return
        spec = read_scaling_spec(hpa["spec"], self._flags)
        seen = self._seen(key, spec, scale)
        decision = decide(spec, seen, conditions, self._memories.get(key, Memory()), now, self._flags)
        if decision.rescale:
            decision = self._rescaled(resource, scale, decision, spec, now)
        self._memories[key] = decision.memory
        self._write_status(hpa, status_of(hpa, decision.conditions, decision, now))
        self._record(hpa, decision.events)

    def _scale_of(self, namespace: str, reference: Json) -> tuple[Resource, Json]:
        resource = self._target_resource(reference)
        if "scale" not in resource.subresources:
            raise NoScaleError("the server could not find the requested resource")
        try:
            return resource, self._cluster.api.get(resource, namespace, reference["name"], "scale")
        except StatusError as error:
            raise NoScaleError(error.message) from error

    def _target_resource(self, reference: Json) -> Resource:
        """By group and kind: the version of the reference does not matter."""
        api_version, kind = reference.get("apiVersion") or "", reference["kind"]
        if api_version.count("/") > 1:
            raise NoScaleError(f"unexpected GroupVersion string: {api_version}")
        group = api_version.rpartition("/")[0]
        for resource in self._cluster.api.resources.values():
            if (resource.kind.group, resource.kind.kind) == (group, kind):
                return resource
        raise NoScaleError(f'no matches for kind "{kind}" in group "{group}"')

    def _seen(self, key: Key, spec: ScalingSpec, scale: Json) -> Seen:
        namespace, selector = key[0], scale["status"].get("selector") or ""
        pods, refusal = self._selected(key, selector)
        workload = Workload(
            namespace=namespace,
            replicas=scale["spec"].get("replicas") or 0,
            status_replicas=scale["status"].get("replicas") or 0,
            pods=tuple(pod_facts(pod) for pod in pods),
        )
        if refusal is not None:
            return Seen(workload, refusal=refusal)
        return Seen(workload, self._metrics.readings(spec.metrics, namespace, selector, pods))

    def _selected(self, key: Key, selector: str) -> tuple[list[Json], Refusal | None]:
        """The pods of the target, or why they are not to be counted (validateAndParseSelector)."""
        if not selector:
            return [], missing_selector()
        try:
            requirements = parse_label_selector(selector)
        except StatusError as error:
            return [], invalid_selector(error.message)
        self._selectors[key] = requirements
        pods = [pod for pod in self._cluster.store.list("pods", key[0]) if matches(requirements, pod)]
        hpas = self._hpas_selecting(key[0], pods)
        return pods, ambiguous_selector(selector, hpas[:2]) if len(hpas) > 1 else None

    def _hpas_selecting(self, namespace: str, pods: list[Json]) -> list[str]:
        """By the selectors that each had when it was last looked at."""
        alike = {str(sorted((pod["metadata"].get("labels") or {}).items())): pod for pod in pods}
        return [
            f"{namespace}/{name}"
            for (where, name), requirements in sorted(self._selectors.items())
            if where == namespace and any(matches(requirements, pod) for pod in alike.values())
        ]

    def _rescaled(self, resource: Resource, scale: Json, decision: Decision, spec: ScalingSpec, now: float) -> Decision:
        metadata = scale["metadata"]
        body = {**scale, "spec": {**scale["spec"], "replicas": decision.desired}}
        try:
            self._cluster.api.update(
                resource, metadata["namespace"], metadata["name"], body, CONTROLLER, subresource="scale"
            )
        except StatusError as error:
            return not_rescaled(decision, error.message, now)
        return rescaled(decision, spec, now)

    def _write_status(self, hpa: Json, status: Json) -> None:
        if equal_statuses(hpa.get("status") or {}, status):
            return
        namespace, name = _key(hpa)
        resource = self._cluster.api.resources[HPA.resource]
        try:
            self._cluster.api.update(
                resource, namespace, name, {**hpa, "status": status}, CONTROLLER, subresource="status"
            )
        except StatusError as error:
            self._events.record(hpa, "Warning", "FailedUpdateStatus", error.message)

    def _record(self, hpa: Json, events: tuple[Event, ...] | list[Event]) -> None:
        for event in events:
            self._events.record(hpa, event.type, event.reason, event.message)


def _key(hpa: Json) -> Key:
    return hpa["metadata"]["namespace"], hpa["metadata"]["name"]


def _generation(hpa: Json) -> int:
    return int(hpa["metadata"].get("generation") or 0)
