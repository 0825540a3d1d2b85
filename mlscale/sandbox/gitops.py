"""A GitOps controller as a scenario has it: it brings the replicas of a workload back to what is in its repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.verbs import Caller

if TYPE_CHECKING:
    from mlscale.sandbox.scenario import GitOps
    from mlscale.sandbox.verbs import Api

MERGE_PATCH = "application/merge-patch+json"


def start_gitops(api: Api, gitops: GitOps) -> None:
    """Have the replicas reset each ``gitops.every`` seconds from now on, where they differ."""
    api.agenda.every(gitops.every, lambda: reset_replicas(api, gitops))


def reset_replicas(api: Api, gitops: GitOps) -> None:
    """Set the replicas back, unless the workload is not there or has them already."""
    resource = api.resources[gitops.resource]
    workload = api.store.get(resource.key, gitops.namespace, gitops.name)
    if workload is None or workload["spec"].get("replicas") == gitops.replicas:
        return
    caller = Caller(f"system:serviceaccount:gitops:{gitops.manager}", gitops.manager, ("system:serviceaccounts",))
    patch = {"spec": {"replicas": gitops.replicas}}
    api.patch(resource, gitops.namespace, gitops.name, patch, MERGE_PATCH, caller)
