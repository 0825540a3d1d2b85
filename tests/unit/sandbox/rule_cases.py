"""Objects that a server completes or refuses: what it answers to each is in rule_answers.json."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
)
from mlscale.sandbox.resources import CLUSTERROLE, CONFIGMAP, PDB, ROLE, ROLEBINDING, SERVICEACCOUNT

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

PLAIN, LIMITED, BOUNDED, GONE = "plain", "limited", "bounded", "gone"
"""Namespaces: with nothing in it, with LimitRanges, with ResourceQuotas; and one that does not exist."""
REMOVED = object()


@dataclass(frozen=True)
class Case:
    """An object that is sent; with ``before``, in place of that one."""

    name: str
    kind: Kind
    body: Json
    before: Json | None = None
    namespace: str = PLAIN


@dataclass
class Cases:
    """Variations of one right object, each named by what is changed in it."""

    kind: Kind
    base: Json
    namespace: str = PLAIN
    found: list[Case] = field(default_factory=list)

    def new(self, name: str, **changes: Any) -> None:
        """A creation of the object with ``changes``: paths with ``__`` for a dot, ``_0_`` for ``[0]``."""
        body = changed(self.base, changes)
        self.found.append(Case(f"{self.kind.kind} {name}", self.kind, body, None, self.namespace))

    def update(self, name: str, **changes: Any) -> None:
        """An update of the stored object to one with ``changes``."""
        body = changed(self.base, changes)
        self.found.append(Case(f"{self.kind.kind} update {name}", self.kind, body, self.base, self.namespace))


def changed(base: Json, changes: Json) -> Json:
    """A copy of ``base`` in which each path has its value, or REMOVED nothing."""
    body = copy.deepcopy(base)
    for path, value in changes.items():
        holder: Any = body
        keys = [int(key) if key.isdigit() else key for key in re.split(r"__", path)]
        for key in keys[:-1]:
            holder = holder.setdefault(key, {}) if isinstance(holder, dict) else holder[key]
        if value is REMOVED:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = copy.deepcopy(value)
    return body


def _metadata(name: str) -> Json:
    return {"name": name}


def template() -> Json:
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}


def workload(name: str) -> Json:
    return {"metadata": _metadata(name), "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template()}}


def autoscaler_cases() -> list[Case]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    cases = Cases(HPA, {"metadata": _metadata("web"), "spec": {"maxReplicas": 5, "scaleTargetRef": target}})
    cases.new("plain")
    cases.new("of nothing", spec={})
    cases.new("without a maximum", spec__maxReplicas=REMOVED)
    cases.new("maximum of 0", spec__maxReplicas=0)
    cases.new("maximum below 0", spec__maxReplicas=-3)
    cases.new("minimum below 0", spec__minReplicas=-1)
    cases.new("minimum over maximum", spec__minReplicas=6)
    cases.new("to zero on CPU", spec__minReplicas=0)
    cases.new("target without group", spec__scaleTargetRef__apiVersion=REMOVED)
    cases.new("target of core group", spec__scaleTargetRef__apiVersion="v1")
    cases.new(
        "target is a ReplicationController",
        spec__scaleTargetRef={**target, "kind": "ReplicationController", "apiVersion": "v1"},
    )
    cases.new("target version malformed", spec__scaleTargetRef__apiVersion="a/b/c")
    cases.new("target name with slash", spec__scaleTargetRef__name="a/b")
    cases.new("target kind with percent", spec__scaleTargetRef__kind="a%b")
    cases.new("target name is dots", spec__scaleTargetRef__name="..")
    cases.new("name malformed", metadata__name="Web_1")
    _metric_cases(cases)
    _behavior_cases(cases)
    cases.update("nothing")
    cases.update("minimum over maximum", spec__minReplicas=9)
    cases.update("target to core group", spec__scaleTargetRef__apiVersion="v1")
    cases.update("maximum to 0", spec__maxReplicas=0)
    return cases.found


def _metric_cases(cases: Cases) -> None:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    pods = {
        "type": "Pods",
        "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "1k"}},
    }
    external = {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "3"}}}
    described = {"apiVersion": "v1", "kind": "Service", "name": "s"}
    on_object = {
        "type": "Object",
        "object": {"describedObject": described, "metric": {"name": "h"}, "target": {"type": "Value", "value": "2"}},
    }
    container = {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": "c",
            "target": {"type": "Utilization", "averageUtilization": 5},
        },
    }
    cases.new("metrics of each type", spec__metrics=[cpu, pods, external, on_object, container])
    cases.new("metrics canonical", spec__metrics=[changed(pods, {"pods__target__averageValue": "1000"})])
    cases.new("to zero on an external metric", spec__minReplicas=0, spec__metrics=[external])
    variations: dict[str, tuple[Json, Json]] = {
        "metric without type": (cpu, {"type": REMOVED}),
        "metric of unknown type": (cpu, {"type": "Foo"}),
        "metric of other type": (cpu, {"type": "Pods"}),
        "metric empty": (cpu, {"type": "Resource", "resource": REMOVED}),
        "metric twice": (cpu, {"pods": pods["pods"]}),
        "resource without name": (cpu, {"resource__name": ""}),
        "resource without target": (cpu, {"resource__target": {}}),
        "resource with both targets": (cpu, {"resource__target__averageValue": "1"}),
        "resource of 0 percent": (cpu, {"resource__target__averageUtilization": 0}),
        "resource amount below 0": (cpu, {"resource__target": {"type": "AverageValue", "averageValue": "-100m"}}),
        "target of unknown type": (cpu, {"resource__target__type": "Foo"}),
        "pods without name": (pods, {"pods__metric__name": ""}),
        "pods name with slash": (pods, {"pods__metric__name": "a/b"}),
        "pods with a value": (pods, {"pods__target": {"type": "Value", "value": "1"}}),
        "external without target": (external, {"external__target": {"type": "Value"}}),
        "external with both": (external, {"external__target__averageValue": "1"}),
        "object without target": (on_object, {"object__target": {"type": "Value"}}),
        "object described by nothing": (on_object, {"object__describedObject": {}}),
        "container without container": (container, {"containerResource__container": ""}),
        "container malformed": (container, {"containerResource__container": "A b"}),
        "container of unknown resource": (container, {"containerResource__name": "foo"}),
        "container of a device": (container, {"containerResource__name": "nvidia.com/gpu"}),
        "container of foreign resource": (container, {"containerResource__name": "x.kubernetes.io/gpu"}),
        "container with both": (container, {"containerResource__target__averageValue": "1"}),
    }  # fmt: skip
    for name, (base, changes) in variations.items():
        cases.new(name, spec__metrics=[changed(base, changes)])


def _behavior_cases(cases: Cases) -> None:
    policy = {"type": "Pods", "value": 2, "periodSeconds": 60}
    cases.new("behavior empty", spec__behavior={})
    cases.new("behavior of one direction", spec__behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    cases.new("behavior with tolerance", spec__behavior={"scaleUp": {"tolerance": "0.05", "policies": [policy]}})
    variations: dict[str, Json] = {
        "window below 0": {"stabilizationWindowSeconds": -1},
        "window too long": {"stabilizationWindowSeconds": 3601},
        "selection unknown": {"selectPolicy": "Foo"},
        "policies empty": {"policies": []},
        "policy unknown": {"policies": [{**policy, "type": "Foo"}]},
        "policy empty": {"policies": [{}]},
        "policy of 0": {"policies": [{**policy, "value": 0}]},
        "policy period too long": {"policies": [{**policy, "periodSeconds": 1801}]},
        "tolerance below 0": {"tolerance": "-0.1"},
    }
    for name, rules in variations.items():
        cases.new(f"behavior {name}", spec__behavior={"scaleUp": rules})


def deployment_cases() -> list[Case]:
    cases = Cases(DEPLOYMENT, workload("web"))
    cases.new("plain")
    cases.new("of nothing", spec=REMOVED)
    cases.new("replicas below 0", spec__replicas=-1)
    cases.new("selector missing", spec__selector=REMOVED)
    cases.new("selector empty", spec__selector={})
    cases.new("selector of others", spec__selector__matchLabels__app="y")
    cases.new("selector operator unknown", spec__selector={"matchExpressions": [{"key": "a", "operator": "Foo"}]})
    cases.new("selector without values", spec__selector={"matchExpressions": [{"key": "app", "operator": "In"}]})
    cases.new(
        "selector with values",
        spec__selector={"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["x"]}]},
    )
    cases.new("selector key malformed", spec__selector={"matchLabels": {"a b": "x"}})
    cases.new("template label malformed", spec__template__metadata__labels={"app": "x", "b": "<&>"})
    cases.new("template labels of others", spec__template__metadata__labels={"b": "<&>"})
    cases.new("recreated", spec__strategy={"type": "Recreate"})
    cases.new("recreated and rolled", spec__strategy={"type": "Recreate", "rollingUpdate": {}})
    cases.new("strategy unknown", spec__strategy={"type": "Foo"})
    for name, update in {
        "both 0": {"maxSurge": 0, "maxUnavailable": "0%"},
        "surge malformed": {"maxSurge": "x"},
        "surge below 0": {"maxSurge": -1},
        "surge over 100": {"maxSurge": "150%"},
        "unavailable over 100": {"maxUnavailable": "101%"},
    }.items():
        cases.new(f"rolled with {name}", spec__strategy={"rollingUpdate": update})
    cases.new("deadline too short", spec__minReadySeconds=600)
    cases.new(
        "limits below 0", spec__minReadySeconds=-1, spec__revisionHistoryLimit=-1, spec__progressDeadlineSeconds=-1
    )
    cases.new("never restarted", spec__template__spec__restartPolicy="Never")
    cases.new("with a deadline", spec__template__spec__activeDeadlineSeconds=5)
    cases.new("annotations malformed", metadata__annotations={"a b": "c"})
    for key, value in {
        "/a": "x",
        "a.b/": "y",
        "c": "-",
        "d/e/f": "z",
        "a" * 64: "b" * 64,
        f"{'p' * 254}/a": "x",
    }.items():
        cases.new(f"label {key[:8]} malformed", metadata__labels={key: value})
    cases.new(
        "owner malformed", metadata__ownerReferences=[{"apiVersion": "a/b/c", "kind": "K", "name": "n", "uid": "u"}]
    )
    cases.new("finalizer malformed", metadata__finalizers=["a b"])
    cases.update("nothing")
    cases.update("selector", spec__selector__matchLabels__app="y", spec__template__metadata__labels__app="y")
    cases.update("replicas", spec__replicas=7)
    return cases.found


def workload_cases() -> list[Case]:
    sets = Cases(REPLICASET, workload("web"))
    sets.new("plain")
    sets.new("all wrong", spec={"replicas": -1, "minReadySeconds": -1})
    sets.update("selector", spec__selector__matchLabels__app="y", spec__template__metadata__labels__app="y")
    controllers = Cases(REPLICATIONCONTROLLER, {"metadata": _metadata("old"), "spec": {"template": template()}})
    controllers.new("plain")
    controllers.new("of nothing", spec={})
    controllers.new("selector of others", spec__selector={"app": "y"})
    controllers.new(
        "all wrong",
        spec={"replicas": -1, "minReadySeconds": -1, "template": {"spec": {"containers": []}}},
        metadata__name="R_",
    )
    return sets.found + controllers.found + _stateful_set_cases() + _daemon_set_cases()


def _stateful_set_cases() -> list[Case]:
    cases = Cases(STATEFULSET, workload("db"))
    cases.new("plain")
    cases.new("name with dots", metadata__name="a.b")
    cases.new("management unknown", spec__podManagementPolicy="Foo")
    cases.new("strategy unknown", spec__updateStrategy={"type": "Foo"})
    cases.new("deleted and rolled", spec__updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}})
    cases.new("partition below 0", spec__updateStrategy={"rollingUpdate": {"partition": -1, "maxUnavailable": 0}})
    cases.new("retention unknown", spec__persistentVolumeClaimRetentionPolicy={"whenDeleted": "Foo"})
    cases.new("numbers below 0", spec__replicas=-1, spec__minReadySeconds=-1, spec__ordinals={"start": -1})
    cases.new("service name malformed", spec__serviceName="A_")
    cases.new("selector missing", spec__selector=REMOVED)
    cases.new("selector wrong", spec__selector={"matchExpressions": [{"key": "a", "operator": "Foo"}]})
    cases.update("replicas", spec__replicas=3)
    cases.update("service name", spec__serviceName="other")
    cases.update("management", spec__podManagementPolicy="Parallel")
    return cases.found


def _daemon_set_cases() -> list[Case]:
    cases = Cases(DAEMONSET, workload("agent"))
    cases.new("plain")
    cases.new("selector missing", spec__selector=REMOVED)
    cases.new("selector empty", spec__selector={})
    cases.new("selector of others", spec__selector__matchLabels__app="y")
    cases.new("strategy unknown", spec__updateStrategy={"type": "Foo"})
    cases.new("strategy with both", spec__updateStrategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}})
    cases.new("strategy with neither", spec__updateStrategy={"rollingUpdate": {"maxUnavailable": 0}})
    cases.update("image", spec__template__spec__containers__0__image="i:2")
    return cases.found


def job_cases() -> list[Case]:
    pod = {"spec": {"containers": [{"name": "c", "image": "i:1"}], "restartPolicy": "Never"}}
    cases = Cases(JOB, {"metadata": _metadata("once"), "spec": {"template": pod}})
    cases.new("plain")
    cases.new("always restarted", spec__template__spec__restartPolicy=REMOVED)
    cases.new("restart unknown", spec__template__spec__restartPolicy="Foo")
    cases.new(
        "counts below 0",
        spec__parallelism=-1,
        spec__completions=-1,
        spec__backoffLimit=-1,
        spec__activeDeadlineSeconds=-1,
    )
    cases.new("mode unknown", spec__completionMode="Foo")
    cases.new("indexed without completions", spec__completionMode="Indexed", spec__parallelism=1)
    crons = Cases(
        CRONJOB,
        {"metadata": _metadata("daily"), "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": pod}}}},
    )
    crons.new("plain")
    crons.new("schedule malformed", spec__schedule="foo")
    crons.new("schedule missing", spec__schedule=REMOVED)
    crons.new("concurrency unknown", spec__concurrencyPolicy="Foo")
    return cases.found + crons.found


def pod_cases() -> list[Case]:
    cases = Cases(POD, {"metadata": _metadata("p"), "spec": template()["spec"]})
    cases.new("plain")
    cases.new("of nothing", spec={})
    cases.new("name malformed", metadata__name="P_")
    cases.new(
        "limits imply requests",
        spec__containers__0__resources={"limits": {"cpu": "1.5", "memory": "1Gi"}, "requests": {"cpu": "0.5001"}},
    )
    cases.new("critical", spec__priorityClassName="system-node-critical")
    cases.new("priority class unknown", spec__priorityClassName="nope")
    cases.new("priority given", spec__priority=5)
    cases.new("service account unknown", spec__serviceAccountName="nope")
    cases.new("without a token", spec__automountServiceAccountToken=False)
    cases.new("tolerates all", spec__tolerations=[{"operator": "Exists"}])
    cases.new("namespace unknown")
    cases.found[-1] = Case(cases.found[-1].name, POD, cases.found[-1].body, None, GONE)
    _container_cases(cases)
    _placement_cases(cases)
    cases.update("nothing")
    cases.update("image", spec__containers__0__image="i:2")
    cases.update("containers", spec__containers=[*cases.base["spec"]["containers"], {"name": "d", "image": "i"}])
    cases.update("labels", metadata__labels={"a": "b c"})
    return cases.found


def _container_cases(cases: Cases) -> None:
    first = "spec__containers__0__"
    for name, amounts in {
        "request over limit": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
        "request below 0": {"requests": {"cpu": "-1"}},
        "resource unknown": {"limits": {"foo": "1"}},
        "device halved": {"limits": {"nvidia.com/gpu": "500m"}},
        "device without limit": {"requests": {"nvidia.com/gpu": "1"}},
        "device of other amount": {"limits": {"nvidia.com/gpu": "2"}, "requests": {"nvidia.com/gpu": "1"}},
        "huge pages alone": {"limits": {"hugepages-2Mi": "2Mi"}},
        "huge pages cut": {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}},
    }.items():
        cases.new(name, **{f"{first}resources": amounts})
    for name, changes in {
        "container unnamed": {"name": ""},
        "container name malformed": {"name": "A.b"},
        "image missing": {"image": REMOVED},
        "image untrimmed": {"image": " i"},
        "pull policy unknown": {"imagePullPolicy": "Foo"},
        "message policy unknown": {"terminationMessagePolicy": "Foo"},
        "port unnumbered": {"ports": [{}]},
        "port too high": {"ports": [{"containerPort": 70000, "hostPort": -1}]},
        "port names": {
            "ports": [
                {"containerPort": 1, "name": "a"},
                {"containerPort": 2, "name": "a"},
                {"containerPort": 3, "name": "--"},
            ]
        },
        "port protocol": {"ports": [{"containerPort": 1, "protocol": "Foo"}]},
        "host port twice": {"ports": [{"containerPort": 1, "hostPort": 5}, {"containerPort": 2, "hostPort": 5}]},
        "variable unnamed": {"env": [{"name": ""}, {"name": "a=b"}]},
        "variable from nothing": {"env": [{"name": "A", "valueFrom": {}}]},
        "variable twice": {
            "env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
        },
        "variable from unknown field": {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "foo"}}}]},
        "variable from a key": {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "a b"}}}]},
        "variables from nothing": {"envFrom": [{}]},
        "mount unknown": {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "probe without action": {"livenessProbe": {}},
        "probe of two actions": {"livenessProbe": {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}},
        "probe by HTTP": {"readinessProbe": {"httpGet": {"port": "http"}}},
        "probe by HTTP malformed": {"readinessProbe": {"httpGet": {"port": 0, "scheme": "Foo"}}},
        "probe numbers": {"livenessProbe": {"exec": {}, "periodSeconds": -1, "successThreshold": 2}},
        "hook sleeps too long": {"lifecycle": {"preStop": {"sleep": {"seconds": 60}}}},
        "resize policy": {"resizePolicy": [{"resourceName": "foo", "restartPolicy": "Bar"}]},
    }.items():
        cases.new(name, **{f"{first}{path}": value for path, value in changes.items()})
    one = {"name": "c", "image": "i:1"}
    cases.new("containers of one name", spec__containers=[one, one])
    cases.new(
        "init container",
        spec__initContainers=[{"name": "c", "image": "i", "livenessProbe": {"exec": {"command": ["a"]}}}],
    )
    cases.new("sidecar", spec__initContainers=[{"name": "s", "image": "i", "restartPolicy": "Always"}])
    cases.new(
        "volumes",
        spec__volumes=[
            {"name": "v"},
            {"name": "w", "configMap": {"name": "x"}},
            {"name": "h", "hostPath": {"path": "/"}},
        ],
    )
    cases.new("volumes wrong", spec__volumes=[{"name": "v"}, {"name": "v"}, {"name": "B"}, {"name": "s", "secret": {}}])
    cases.new("pod resources", spec__resources={"limits": {"cpu": "2", "memory": "1Gi"}})
    cases.new(
        "pod resources too small",
        spec__resources={"requests": {"cpu": "1"}},
        spec__containers__0__resources={"requests": {"cpu": "1500m"}},
    )
    cases.new("host network", spec__hostNetwork=True, spec__containers__0__ports=[{"containerPort": 80}])
    cases.new(
        "host network elsewhere",
        spec__hostNetwork=True,
        spec__containers__0__ports=[{"containerPort": 80, "hostPort": 81}],
    )


def _placement_cases(cases: Cases) -> None:
    node_terms = "spec__affinity__nodeAffinity__requiredDuringSchedulingIgnoredDuringExecution"
    for name, changes in {
        "restart unknown": {"restartPolicy": "Foo", "dnsPolicy": "Bar"},
        "deadline": {"activeDeadlineSeconds": 0},
        "selector malformed": {"nodeSelector": {"a b": "c"}},
        "names malformed": {"nodeName": "A_", "hostname": "a.b", "subdomain": "-", "serviceAccountName": "default"},
        "grace below 0": {"terminationGracePeriodSeconds": -5},
        "toleration of nothing": {"tolerations": [{}]},
        "toleration key": {"tolerations": [{"key": "a b", "operator": "Foo", "effect": "Bar"}]},
        "toleration timed": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b", "tolerationSeconds": 1}]},
        "gates": {"schedulingGates": [{"name": "a/b"}, {"name": "a/b"}, {"name": "c d"}]},
        "gates and node": {"schedulingGates": [{"name": "a/b"}], "nodeName": "n"},
        "spread": {"topologySpreadConstraints": [{"maxSkew": 0, "whenUnsatisfiable": "Foo"}]},
        "spread twice": {
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}
            ]
            * 2
        },
        "preemption unknown": {"preemptionPolicy": "Foo"},
    }.items():
        cases.new(f"placed by {name}", **{f"spec__{path}": value for path, value in changes.items()})
    cases.new("affinity to no node", **{node_terms: {"nodeSelectorTerms": []}})
    expression = {"key": "a", "operator": "Gt", "values": ["1", "2"]}
    cases.new(
        "affinity to wrong nodes",
        **{node_terms: {"nodeSelectorTerms": [{"matchExpressions": [expression, {"key": "b", "operator": "Foo"}]}]}},
    )
    weighted = [{"weight": 101, "podAffinityTerm": {"topologyKey": ""}}]
    cases.new(
        "affinity to pods",
        spec__affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighted}},
    )


def quota_cases() -> list[Case]:
    cases = Cases(RESOURCEQUOTA, {"metadata": _metadata("q"), "spec": {"hard": {"pods": "5"}}})
    cases.new(
        "plain", spec__hard={"requests.cpu": "1000m", "count/deployments.apps": "2", "requests.nvidia.com/gpu": 1}
    )
    for name in ("foo", "a b", "services.foo", "x.com/g"):
        cases.new(f"name {name}", spec__hard={name: "1"})
    for name, amount in {"cpu": "-1", "pods": "1500m", "requests.x.com/g": "1500m"}.items():
        cases.new(f"amount {amount} of {name}", spec__hard={name: amount})
    cases.new("scope unknown", spec__scopes=["Foo", "BestEffort"])
    cases.new("scope of other resource", spec__hard={"configmaps": "1", "cpu": "1"}, spec__scopes=["BestEffort"])
    cases.new("scopes conflict", spec__scopes=["Terminating", "NotTerminating"])
    cases.new(
        "scope by operator", spec__scopeSelector={"matchExpressions": [{"scopeName": "Terminating", "operator": "In"}]}
    )
    cases.update("scopes", spec__scopes=["Terminating"])
    ranges = Cases(LIMITRANGE, {"metadata": _metadata("l"), "spec": {"limits": []}})
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}
    ranges.new("plain", spec__limits=[item])
    ranges.new("type unknown", spec__limits=[{"type": "Foo"}, {"type": "Foo"}])
    ranges.new("pod defaults", spec__limits=[{"type": "Pod", "default": {"cpu": "1"}}])
    ranges.new("names unknown", spec__limits=[{"type": "Container", "max": {"foo": "1"}}])
    ranges.new("claim unbounded", spec__limits=[{"type": "PersistentVolumeClaim"}])
    for name, bounds in {
        "minimum over maximum": {"min": {"cpu": "3"}, "max": {"cpu": "2"}},
        "default over maximum": {"default": {"cpu": "3"}, "max": {"cpu": "2"}},
        "request over default": {"defaultRequest": {"cpu": "3"}, "default": {"cpu": "2"}},
        "request under minimum": {"defaultRequest": {"cpu": "1"}, "min": {"cpu": "2"}},
        "ratio below 1": {"maxLimitRequestRatio": {"cpu": "500m"}},
        "ratio too large": {"maxLimitRequestRatio": {"cpu": "5"}, "min": {"cpu": "1"}, "max": {"cpu": "2"}},
        "device overcommitted": {"defaultRequest": {"x.com/g": "1"}, "default": {"x.com/g": "2"}},
    }.items():
        ranges.new(name, spec__limits=[{"type": "Container", **bounds}])
    return cases.found + ranges.found


def other_cases() -> list[Case]:
    services = Cases(SERVICE, {"metadata": _metadata("s"), "spec": {"ports": [{"port": 80}]}})
    services.new("plain")
    services.new("of nothing", spec={})
    services.new("name malformed", metadata__name="S.a")
    services.new(
        "ports wrong",
        spec__ports=[{"port": 0}, {"port": 80, "name": "a"}, {"port": 80, "name": "a", "targetPort": "B"}],
    )
    services.new("type unknown", spec__type="Foo")
    services.new("headless", spec__clusterIP="None", spec__ports=REMOVED)
    services.new("of another name", spec={"type": "ExternalName", "externalName": "a.example"})
    services.new("of no other name", spec={"type": "ExternalName"})
    services.new("affinity", spec__sessionAffinity="ClientIP")
    services.new("affinity unknown", spec__sessionAffinity="Foo")
    namespaces = Cases(NAMESPACE, {"metadata": _metadata("mlscale-rule-case")})
    namespaces.new("name malformed", metadata__name="A.b")
    namespaces.new("name with dots", metadata__name="a.b")
    namespaces.new("name too long", metadata__name="a" * 64)
    nodes = Cases(NODE, {"metadata": _metadata("mlscale-rule-node")})
    nodes.new("taints", spec__taints=[{"key": "a b", "value": "c d"}, {"key": "e", "effect": "Foo"}])
    nodes.new("amounts", status__capacity={"cpu": "-1", "pods": "1500m"})
    events = Cases(
        EVENT, {"metadata": _metadata("e"), "involvedObject": {"kind": "Pod", "name": "p", "namespace": "elsewhere"}}
    )
    events.new("of another namespace")
    maps = Cases(CONFIGMAP, {"metadata": _metadata("c"), "data": {"a": "b"}})
    maps.new("plain")
    for key in ("a b", "..", "..a", "a" * 254):
        maps.new(f"key {key[:3]} malformed", data={key: "x"})
    accounts = Cases(SERVICEACCOUNT, {"metadata": _metadata("A")})
    accounts.new("name malformed")
    budgets = Cases(PDB, {"metadata": _metadata("b"), "spec": {"minAvailable": 1}})
    budgets.new("plain")
    budgets.new("both", spec__maxUnavailable="150%")
    return [
        case for cases in (services, namespaces, nodes, events, maps, accounts, budgets) for case in cases.found
    ] + _access_cases()


def _access_cases() -> list[Case]:
    roles = Cases(
        ROLE, {"metadata": _metadata("r"), "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    )
    roles.new("plain")
    roles.new("rule empty", rules=[{}])
    roles.new("rule of URLs", rules=[{"nonResourceURLs": ["/a"], "resources": ["pods"], "verbs": ["get"]}])
    cluster_roles = Cases(
        CLUSTERROLE, {"metadata": _metadata("a/b"), "rules": [{"nonResourceURLs": ["/a"], "verbs": ["get"]}]}
    )
    cluster_roles.new("name malformed")
    reference = {"kind": "Role", "name": "r"}
    bindings = Cases(
        ROLEBINDING, {"metadata": _metadata("b"), "roleRef": reference, "subjects": [{"kind": "User", "name": "u"}]}
    )
    bindings.new("plain")
    bindings.new("role unknown", roleRef={"kind": "Foo", "name": ""})
    bindings.new(
        "subjects wrong",
        subjects=[
            {"kind": "Foo"},
            {"kind": "ServiceAccount", "name": "A", "apiGroup": "x"},
            {"kind": "Group", "name": "g", "apiGroup": "x"},
        ],
    )
    return roles.found + cluster_roles.found + bindings.found


def limited_cases() -> list[Case]:
    """Pods in a namespace with LimitRanges, and in one with ResourceQuotas."""
    spec = {"containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "i:1"}]}
    limited = Cases(POD, {"metadata": _metadata("limited"), "spec": spec}, LIMITED)
    bounded = Cases(POD, {"metadata": _metadata("bounded"), "spec": {"containers": spec["containers"][:1]}}, BOUNDED)
    limited.new("completed by a LimitRange")
    for name, amounts in {
        "over": {"limits": {"cpu": "3"}},
        "under": {"requests": {"memory": "1Mi"}},
        "of wide ratio": {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}},
        "large as a whole": {"limits": {"memory": "900Mi"}},
    }.items():
        limited.new(f"{name} for a LimitRange", spec__containers__0__resources=amounts)
    limited.new(
        "invalid before the LimitRange",
        spec__containers__0__resources={"limits": {"cpu": "3"}, "requests": {"cpu": "4"}},
    )
    bounded.new("without the requests that a quota wants")
    fitting = {"requests": {"cpu": "500m", "memory": "100Mi"}, "limits": {"cpu": "500m", "memory": "100Mi"}}
    bounded.new("within a quota", spec__containers__0__resources=fitting)
    bounded.new(
        "over a quota",
        spec__containers__0__resources={
            "requests": {"cpu": "1500m", "memory": "2Gi"},
            "limits": {"cpu": "3", "memory": "2Gi"},
        },
    )
    bounded.new(
        "invalid before the quota", spec__containers__0__resources={"requests": {"cpu": "5"}, "limits": {"cpu": "4"}}
    )
    maps = Cases(CONFIGMAP, {"metadata": _metadata("another")}, BOUNDED)
    maps.new("over a quota")
    deployments = Cases(DEPLOYMENT, workload("another"), BOUNDED)
    deployments.new("over a quota")
    services = Cases(
        SERVICE, {"metadata": _metadata("another"), "spec": {"ports": [{"port": 1}], "type": "NodePort"}}, BOUNDED
    )
    services.new("over a quota")
    return limited.found + bounded.found + maps.found + deployments.found + services.found


LIMIT_RANGES: list[Json] = [
    {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds"},
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "max": {"cpu": "2"},
                    "min": {"memory": "4Mi"},
                    "default": {"cpu": "500m", "memory": "64Mi"},
                    "defaultRequest": {"cpu": "250m"},
                    "maxLimitRequestRatio": {"cpu": "4"},
                },
                {"type": "Pod", "max": {"memory": "900Mi"}},
            ]
        },
    }
]
QUOTAS: list[Json] = [
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "compute"},
        "spec": {"hard": {"requests.cpu": "1", "limits.memory": "1Gi", "pods": "3"}},
    },
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "objects"},
        "spec": {"hard": {"configmaps": "1", "count/deployments.apps": "0", "services.nodeports": "0"}},
    },
]

CASES: list[Case] = [
    *autoscaler_cases(), *deployment_cases(), *workload_cases(), *job_cases(), *pod_cases(), *quota_cases(),
    *other_cases(), *limited_cases(),
]  # fmt: skip
