"""The resources that the sandbox serves, and what may be done with each."""

from __future__ import annotations

from dataclasses import dataclass

from mlscale.kube.kinds import (
    CRONJOB,
    DAEMONSET,
    DEPLOYMENT,
    EVENT,
    HPA,
    JOB,
    LIMITRANGE,
    NAMESPACE,
    NODE,
    POD,
    REPLICASET,
    REPLICATIONCONTROLLER,
    RESOURCEQUOTA,
    SERVICE,
    STATEFULSET,
    Kind,
)

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

_ONE_BY_ONE = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
"""Nobody deletes all namespaces in one request."""

_RBAC = "rbac.authorization.k8s.io"
SERVICEACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",))
CONFIGMAP = Kind("", "v1", "ConfigMap", "configmaps", short_names=("cm",))
PDB = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",))
ROLE = Kind(_RBAC, "v1", "Role", "roles")
ROLEBINDING = Kind(_RBAC, "v1", "RoleBinding", "rolebindings")
CLUSTERROLE = Kind(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTERROLEBINDING = Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
_DEFINITION = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False,
    short_names=("crd", "crds"),
)  # fmt: skip
SCALE = Kind("autoscaling", "v1", "Scale", "scales")
PODMETRICS = Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
NODEMETRICS = Kind("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", namespaced=False)


@dataclass(frozen=True)
class Resource:
    """A kind as the API serves it."""

    kind: Kind
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[str, ...] = ()
    """``status``, ``scale``."""
    categories: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """``deployments.apps``: its name in the store and in errors."""
        return self.kind.resource


DEFINITIONS = Resource(_DEFINITION, subresources=("status",), categories=("api-extensions",))
"""CustomResourceDefinitions, each of which adds a resource."""

_ALL = ("all",)
_BOTH = ("scale", "status")

SERVED: tuple[Resource, ...] = (
    Resource(CONFIGMAP),
    Resource(EVENT),
    Resource(LIMITRANGE),
    Resource(NAMESPACE, verbs=_ONE_BY_ONE, subresources=("status",)),
    Resource(NODE, subresources=("status",)),
    Resource(POD, subresources=("resize", "status"), categories=_ALL),
    Resource(REPLICATIONCONTROLLER, subresources=_BOTH, categories=_ALL),
    Resource(RESOURCEQUOTA, subresources=("status",)),
    Resource(SERVICEACCOUNT),
    Resource(SERVICE, subresources=("status",), categories=_ALL),
    Resource(DAEMONSET, subresources=("status",), categories=_ALL),
    Resource(DEPLOYMENT, subresources=_BOTH, categories=_ALL),
    Resource(REPLICASET, subresources=_BOTH, categories=_ALL),
    Resource(STATEFULSET, subresources=_BOTH, categories=_ALL),
    Resource(HPA, subresources=("status",), categories=_ALL),
    Resource(CRONJOB, subresources=("status",), categories=_ALL),
    Resource(JOB, subresources=("status",), categories=_ALL),
    Resource(PDB, subresources=("status",)),
    Resource(CLUSTERROLE),
    Resource(CLUSTERROLEBINDING),
    Resource(ROLE),
    Resource(ROLEBINDING),
    DEFINITIONS,
    Resource(NODEMETRICS, verbs=("get", "list")),
    Resource(PODMETRICS, verbs=("get", "list")),
)
"""In the order in which the discovery of each group lists them."""

_BUILT_IN = frozenset((SCALE.resource, *(resource.key for resource in SERVED)))


def is_custom(kind: Kind) -> bool:
    """Whether a CustomResourceDefinition serves it, so that the server knows less of its fields."""
    return kind.resource not in _BUILT_IN
