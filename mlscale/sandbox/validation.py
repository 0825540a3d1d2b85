"""What is wrong with an object: the causes of a 422, in the order in which the real server lists them.

Each kind's rules stand in the ``validation_*`` module of its subject; here is which kind has which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.validation_access import binding_causes, role_causes
from mlscale.sandbox.validation_autoscaling import autoscaler_causes
from mlscale.sandbox.validation_cluster import budget_causes, config_map_causes, event_causes, node_causes
from mlscale.sandbox.validation_jobs import cron_job_causes, job_causes
from mlscale.sandbox.validation_metadata import metadata_causes
from mlscale.sandbox.validation_pods import pod_causes
from mlscale.sandbox.validation_quotas import limit_range_causes, quota_causes
from mlscale.sandbox.validation_services import service_causes
from mlscale.sandbox.validation_workloads import (
    daemon_set_causes,
    deployment_causes,
    replica_set_causes,
    replication_controller_causes,
    stateful_set_causes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_DNS_LABEL_NAMES = ("namespaces", "services", "statefulsets.apps")
_NAME_JUDGED_LATE = ("replicationcontrollers",)
_WITHOUT_METADATA = ("poddisruptionbudgets.policy",)


def validate(kind: Kind, obj: Json, before: Json | None) -> list[Cause]:
    """What is wrong with ``obj``, as ``set_defaults`` and admission made it; ``before`` is the stored one, if any.

    A custom resource has no rules here but those of its name and labels.
    """
    found: list[Cause] = []
    if kind.resource not in _WITHOUT_METADATA:
        stored = None if before is None else before.get("metadata") or {}
        metadata = obj.get("metadata") or {}
        found += metadata_causes(metadata, stored, _form_of_name(kind), namespaced=kind.namespaced)
    check = _CHECKS.get(kind.resource)
    if check is not None:
        found += check(obj, before)
    found = list(dict.fromkeys(found))
    return _late_names_last(found) if kind.resource in _NAME_JUDGED_LATE else found


def _form_of_name(kind: Kind) -> Callable[[str], list[str]]:
    if kind.resource in _DNS_LABEL_NAMES:
        return formats.dns_label
    is_access = kind.group == _RBAC
    return formats.path_segment if is_access else formats.dns_subdomain


def _late_names_last(found: list[Cause]) -> list[Cause]:
    """The name after the rest of the handwritten rules: here it is judged declaratively."""
    names = [cause for cause in found if cause.field == "metadata.name"]
    rest = [cause for cause in found if cause.field != "metadata.name"]
    counts = [cause for cause in rest if cause.field in ("spec.replicas", "spec.minReadySeconds")]
    return [cause for cause in rest if cause not in counts] + names + counts


def _of_spec(check: Callable[[Json], Iterator[Cause]]) -> Callable[[Json, Json | None], Iterator[Cause]]:
    return lambda obj, _: check(obj.get("spec") or {})


def _of_specs(check: Callable[[Json, Json | None], Iterator[Cause]]) -> Callable[[Json, Json | None], Iterator[Cause]]:
    def checked(obj: Json, before: Json | None) -> Iterator[Cause]:
        return check(obj.get("spec") or {}, None if before is None else before.get("spec") or {})

    return checked


_CHECKS: dict[str, Callable[[Json, Json | None], Iterator[Cause]]] = {
    "pods": pod_causes,
    "deployments.apps": _of_specs(deployment_causes),
    "replicasets.apps": _of_specs(replica_set_causes),
    "statefulsets.apps": _of_specs(stateful_set_causes),
    "daemonsets.apps": _of_specs(daemon_set_causes),
    "replicationcontrollers": _of_spec(replication_controller_causes),
    "jobs.batch": _of_specs(job_causes),
    "cronjobs.batch": _of_spec(cron_job_causes),
    "horizontalpodautoscalers.autoscaling": _of_specs(autoscaler_causes),
    "resourcequotas": _of_specs(quota_causes),
    "limitranges": _of_spec(limit_range_causes),
    "services": _of_specs(service_causes),
    "poddisruptionbudgets.policy": _of_spec(budget_causes),
    "configmaps": config_map_causes,
    "events": event_causes,
    "nodes": node_causes,
    f"roles.{_RBAC}": role_causes,
    f"clusterroles.{_RBAC}": role_causes,
    f"rolebindings.{_RBAC}": binding_causes,
    f"clusterrolebindings.{_RBAC}": binding_causes,
}
