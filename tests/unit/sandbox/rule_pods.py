"""Pods and what is in them."""

from __future__ import annotations

from typing import Any

from mlscale.kube.kinds import POD
from tests.unit.sandbox.rule_base import GONE, REMOVED, Case, Cases, metadata, template

Json = dict[str, Any]


def pod_cases() -> list[Case]:
    cases = Cases(POD, {"metadata": metadata("p"), "spec": template()["spec"]})
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
    _pod_cases(cases)
    _placement_cases(cases)
    cases.update("nothing")
    cases.update("image", spec__containers__0__image="i:2")
    cases.update("containers", spec__containers=[*cases.base["spec"]["containers"], {"name": "d", "image": "i"}])
    cases.update("labels", metadata__labels={"a": "b c"})
    return cases.found


def _container_cases(cases: Cases) -> None:
    first = "spec__containers__0__"
    amounts_wrong: dict[str, Json] = {
        "request over limit": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
        "request below 0": {"requests": {"cpu": "-1"}},
        "resource unknown": {"limits": {"foo": "1"}},
        "device halved": {"limits": {"nvidia.com/gpu": "500m"}},
        "device without limit": {"requests": {"nvidia.com/gpu": "1"}},
        "device of other amount": {"limits": {"nvidia.com/gpu": "2"}, "requests": {"nvidia.com/gpu": "1"}},
        "huge pages alone": {"limits": {"hugepages-2Mi": "2Mi"}},
        "huge pages cut": {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}},
    }
    for name, amounts in amounts_wrong.items():
        cases.new(name, **{f"{first}resources": amounts})
    containers: dict[str, Json] = {
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
        "variable from a key without a name": {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"key": "a"}}}]},
        "variable from a bad secret": {
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "A_", "key": "a"}}}]
        },
        "variables from a bad map": {"envFrom": [{"configMapRef": {"name": "A_"}}]},
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
    }
    for name, changes in containers.items():
        cases.new(name, **{f"{first}{path}": value for path, value in changes.items()})


def _pod_cases(cases: Cases) -> None:
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
    specs: dict[str, Json] = {
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
    }
    for name, changes in specs.items():
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
