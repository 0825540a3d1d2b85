"""Autoscalers, and the workloads that keep copies of a pod."""

from __future__ import annotations

from typing import Any

from mlscale.kube.kinds import CRONJOB, DAEMONSET, DEPLOYMENT, HPA, JOB, REPLICASET, REPLICATIONCONTROLLER, STATEFULSET
from tests.unit.sandbox.rule_base import REMOVED, Case, Cases, changed, metadata, template, workload

Json = dict[str, Any]


def autoscaler_cases() -> list[Case]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    cases = Cases(HPA, {"metadata": metadata("web"), "spec": {"maxReplicas": 5, "scaleTargetRef": target}})
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
    controllers = Cases(REPLICATIONCONTROLLER, {"metadata": metadata("old"), "spec": {"template": template()}})
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
    cases = Cases(JOB, {"metadata": metadata("once"), "spec": {"template": pod}})
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
        {"metadata": metadata("daily"), "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": pod}}}},
    )
    crons.new("plain")
    crons.new("schedule malformed", spec__schedule="foo")
    crons.new("schedule missing", spec__schedule=REMOVED)
    crons.new("concurrency unknown", spec__concurrencyPolicy="Foo")
    return cases.found + crons.found
