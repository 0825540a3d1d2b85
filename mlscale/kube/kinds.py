"""The kinds that mlscale knows without asking the server, and how each is written and addressed."""

from __future__ import annotations

from mlscale.frozen import frozen


@frozen
class Kind:
    """A resource of the API: ``apps/v1 Deployment`` at ``deployments``, say."""

    group: str
    version: str
    kind: str
    plural: str
    scalable: bool = False
    """Whether it has a ``scale`` subresource."""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """``deployment``."""
        return self.kind.lower()

    @property
    def resource(self) -> str:
        """``deployments.apps``, or ``pods`` for the core group, as the server names it in errors."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def printed(self) -> str:
        """``deployment.apps``, or ``pod`` for the core group, as kubectl prints it before a name."""
        return f"{self.singular}.{self.group}" if self.group else self.singular

    def path(self, namespace: str | None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of one object, or of the list where ``name`` is None."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", quote_segment(namespace)]
        parts.append(self.plural)
        if name is not None:
            parts.append(quote_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)

    def answers_to(self, word: str) -> bool:
        """Whether kubectl would take ``word`` for this kind: plural, singular, short name or with a group."""
        lowered = word.lower()
        name, _, rest = lowered.partition(".")
        if name not in (self.plural, self.singular, *self.short_names):
            return False
        return rest in ("", self.group, f"{self.version}.{self.group}") or (not self.group and rest == self.version)


def quote_segment(text: str) -> str:
    """``text`` as one segment of a path; ``/``, ``?`` and ``..`` cannot leave it."""
    quoted = "".join(c if c.isascii() and (c.isalnum() or c in "-_.~") else _percent(c) for c in text)
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", scalable=True, short_names=("deploy",))
STATEFULSET = Kind("apps", "v1", "StatefulSet", "statefulsets", scalable=True, short_names=("sts",))
REPLICASET = Kind("apps", "v1", "ReplicaSet", "replicasets", scalable=True, short_names=("rs",))
REPLICATIONCONTROLLER = Kind(
    "", "v1", "ReplicationController", "replicationcontrollers", scalable=True, short_names=("rc",)
)
DAEMONSET = Kind("apps", "v1", "DaemonSet", "daemonsets", short_names=("ds",))
JOB = Kind("batch", "v1", "Job", "jobs")
CRONJOB = Kind("batch", "v1", "CronJob", "cronjobs", short_names=("cj",))
POD = Kind("", "v1", "Pod", "pods", short_names=("po",))
SERVICE = Kind("", "v1", "Service", "services", short_names=("svc",))
EVENT = Kind("", "v1", "Event", "events", short_names=("ev",))
RESOURCEQUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", short_names=("quota",))
LIMITRANGE = Kind("", "v1", "LimitRange", "limitranges", short_names=("limits",))
NODE = Kind("", "v1", "Node", "nodes", namespaced=False, short_names=("no",))
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False, short_names=("ns",))
HPA = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", short_names=("hpa",))

BUILT_IN: tuple[Kind, ...] = (
    DEPLOYMENT, STATEFULSET, REPLICASET, REPLICATIONCONTROLLER, DAEMONSET, JOB, CRONJOB, POD, SERVICE,
    EVENT, RESOURCEQUOTA, LIMITRANGE, NODE, NAMESPACE, HPA,
)  # fmt: skip


def built_in_kind(word: str) -> Kind | None:
    """The built-in kind that ``word`` names (``deploy``, ``Deployment``, ``deployments.v1.apps``), if any."""
    return next((kind for kind in BUILT_IN if kind.answers_to(word)), None)
