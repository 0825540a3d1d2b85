"""What LimitRanges and ResourceQuotas say to new copies."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.admission import limit_range_refusals, pod_usage, quota_verdict
from mlscale.kube.pod_resources import admitted_spec
from mlscale.kube.quantity import NANO

Json = dict[str, Any]


def _spec(requests: Json | None = None, limits: Json | None = None, **spec: Any) -> Json:
    resources = {"requests": requests or {}, "limits": limits or {}}
    return admitted_spec({"containers": [{"name": "web", "resources": resources}], **spec}, [])


def _limit_range(**item: Any) -> Json:
    return {"metadata": {"name": "lr"}, "spec": {"limits": [{"type": "Container", **item}]}}


def _messages(spec: Json, **item: Any) -> list[str]:
    return [refusal.message for refusal in limit_range_refusals(spec, [_limit_range(**item)], 3)]


@pytest.mark.parametrize(
    ("item", "spec", "clause"),
    [
        ({"min": {"cpu": "100m"}}, _spec({"cpu": "100m"}), None),
        (
            {"min": {"cpu": "100m"}},
            _spec({"cpu": "50m"}),
            "demands at least 100m cpu; container web has a request of 50m",
        ),
        ({"min": {"cpu": "100m"}}, _spec(), "demands at least 100m cpu; container web has no request"),
        ({"max": {"cpu": "2"}}, _spec({"cpu": "1"}, {"cpu": "2"}), None),
        ({"max": {"cpu": "2"}}, _spec({"cpu": "1"}), "allows at most 2 cpu; container web has no limit"),
        # One sentence for the limit; the request that was defaulted from it is not named again.
        ({"max": {"cpu": "2"}}, _spec(limits={"cpu": "3"}), "allows at most 2 cpu; container web has a limit of 3"),
        ({"maxLimitRequestRatio": {"memory": "2"}}, _spec({"memory": "1Gi"}, {"memory": "2Gi"}), None),
        (
            {"maxLimitRequestRatio": {"memory": "2"}},
            _spec({"memory": "1Gi"}, {"memory": "3Gi"}),
            "allows a memory limit of at most 2 times the request; container web has 3Gi over 1Gi",
        ),
        (
            {"maxLimitRequestRatio": {"memory": "2"}},
            _spec({"memory": "1Gi"}),
            "needs a memory request and limit on container web (limit at most 2 times the request)",
        ),
        (
            {"type": "Pod", "max": {"memory": "1Gi"}},
            _spec(limits={"memory": "2Gi"}),
            "allows at most 1Gi memory; the pod has a limit of 2Gi",
        ),
        # The overhead of a RuntimeClass does not count here.
        ({"type": "Pod", "max": {"cpu": "1"}}, _spec(limits={"cpu": "1"}, overhead={"cpu": "1"}), None),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, _spec(), None),
    ],
)
def test_limit_ranges(item: Json, spec: Json, clause: str | None) -> None:
    expected = [f"0 of 3 new copies fit: LimitRange lr {clause}"] if clause else []
    assert _messages(spec, **item) == expected


def test_a_pod_is_bound_as_a_whole_where_each_container_is_small_enough() -> None:
    container = {"name": "c", "resources": {"limits": {"cpu": "600m"}}}
    spec = admitted_spec({"containers": [container, container]}, [])
    assert _messages(spec, max={"cpu": "1"}) == []
    assert _messages(spec, type="Pod", max={"cpu": "1"}) == [
        "0 of 3 new copies fit: LimitRange lr allows at most 1 cpu; the pod has a limit of 1200m"
    ]


def test_init_containers_are_bound_too() -> None:
    init = {"name": "load", "resources": {"limits": {"cpu": "3"}}}
    spec = _spec(limits={"cpu": "1"}, initContainers=[init])
    assert _messages(spec, max={"cpu": "2"}) == [
        "0 of 3 new copies fit: LimitRange lr allows at most 2 cpu; container load has a limit of 3"
    ]


def test_usage_of_a_pod() -> None:
    spec = _spec({"cpu": "1", "example.com/npu": "2"}, {"memory": "1Ki", "example.com/npu": "2"})
    assert pod_usage(spec) == {
        "pods": NANO,
        "count/pods": NANO,
        "cpu": NANO,
        "requests.cpu": NANO,
        "memory": 1024 * NANO,
        "requests.memory": 1024 * NANO,
        "limits.memory": 1024 * NANO,
        "requests.example.com/npu": 2 * NANO,  # extended resources have no limits.* and no bare name
    }


def _quota(hard: Json, used: Json, **spec: Any) -> Json:
    return {"metadata": {"name": "q"}, "spec": spec, "status": {"hard": hard, "used": used}}


ONE_CPU = _spec({"cpu": "500m"})


@pytest.mark.parametrize(
    ("hard", "used", "spec", "fits"),
    [
        ({"requests.cpu": "2"}, {"requests.cpu": "500m"}, ONE_CPU, 3),
        ({"cpu": "2"}, {"cpu": "1"}, ONE_CPU, 2),
        ({"requests.cpu": "2"}, {"requests.cpu": "3"}, ONE_CPU, 0),  # over already, not minus two
        ({"requests.cpu": "900m"}, {"requests.cpu": "0"}, ONE_CPU, 1),
        ({"pods": "4"}, {"pods": "2"}, ONE_CPU, 2),
        ({"count/pods": "4"}, {"count/pods": "4"}, ONE_CPU, 0),
        ({"requests.nvidia.com/gpu": "8"}, {"requests.nvidia.com/gpu": "4"}, _spec(limits={"nvidia.com/gpu": "2"}), 2),
        ({"requests.nvidia.com/gpu": "0"}, {"requests.nvidia.com/gpu": "0"}, ONE_CPU, 5),  # asks for none
        ({"limits.memory": "3Gi"}, {"limits.memory": "0"}, _spec(limits={"memory": "1Gi"}), 3),
        ({"requests.ephemeral-storage": "1Gi"}, {"requests.ephemeral-storage": "0"}, ONE_CPU, 5),
        ({"services": "0"}, {"services": "0"}, ONE_CPU, 5),
    ],
)
def test_what_a_quota_has_left(hard: Json, used: Json, spec: Json, fits: int) -> None:
    verdict = quota_verdict(spec, [_quota(hard, used)], 5)
    assert [shortage.fits for shortage in verdict.shortages] == ([fits] if fits < 5 else [])
    assert verdict.unmodelled == ()


def test_a_shortage_says_what_is_left_and_needed() -> None:
    quota = _quota({"requests.memory": "10Gi"}, {"requests.memory": "7Gi"})
    (shortage,) = quota_verdict(_spec({"memory": "2Gi"}), [quota], 2).shortages
    assert (shortage.reason, shortage.resource, shortage.available, shortage.needed, shortage.fits) == (
        *("QuotaExceeded", "requests.memory"),
        *("3Gi", "2Gi", 1),
    )
    assert shortage.message == (
        "1 of 2 new copies fit: quota q on requests.memory is short (each needs 2Gi; 3Gi left of 10Gi)"
    )


@pytest.mark.parametrize(
    ("resource", "spec", "refused"),
    [
        ("requests.cpu", _spec(), True),
        ("cpu", _spec(), True),
        ("limits.cpu", ONE_CPU, True),
        ("limits.memory", _spec(limits={"memory": "1Mi"}), False),
        ("requests.memory", _spec(limits={"memory": "1Mi"}), False),  # the limit is the request
        ("requests.cpu", _spec({"cpu": "0"}), False),  # set, if to nothing
        ("requests.ephemeral-storage", _spec(), False),
        ("requests.nvidia.com/gpu", _spec(), False),
        ("requests.cpu", _spec(resources={"requests": {"memory": "1Mi"}}), False),  # set for the pod as a whole
    ],
)
def test_a_quota_on_cpu_or_memory_refuses_pods_that_do_not_set_it(resource: str, spec: Json, refused: bool) -> None:
    verdict = quota_verdict(spec, [_quota({resource: "1Ti"}, {resource: "0"})], 2)
    clause = f"0 of 2 new copies fit: quota q counts {resource}, which container web does not set"
    assert [shortage.message for shortage in verdict.shortages] == ([clause] if refused else [])


BEST_EFFORT, DEADLINE = _spec(), _spec({"cpu": "1"}, activeDeadlineSeconds=60)
CLASSED = _spec({"cpu": "1"}, priorityClassName="high")
AFFINE = _spec({"cpu": "1"}, affinity={"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}})


def _classes(operator: str, *values: str) -> Json:
    selector = {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}
    return {"scopeSelector": {"matchExpressions": [selector]}}


@pytest.mark.parametrize(
    ("scope", "spec", "counts"),
    [
        ({}, ONE_CPU, True),
        ({"scopes": ["BestEffort"]}, BEST_EFFORT, True),
        ({"scopes": ["BestEffort"]}, ONE_CPU, False),
        ({"scopes": ["NotBestEffort"]}, ONE_CPU, True),
        ({"scopes": ["NotBestEffort"]}, BEST_EFFORT, False),
        ({"scopes": ["Terminating"]}, DEADLINE, True),
        ({"scopes": ["Terminating"]}, ONE_CPU, False),
        ({"scopes": ["NotTerminating"]}, ONE_CPU, True),
        ({"scopes": ["NotTerminating"]}, DEADLINE, False),
        ({"scopes": ["NotTerminating", "BestEffort"]}, ONE_CPU, False),  # all scopes must match
        (_classes("In", "high", "low"), CLASSED, True),
        (_classes("In", "low"), CLASSED, False),
        (_classes("NotIn", "low"), CLASSED, True),
        (_classes("Exists"), CLASSED, True),
        (_classes("DoesNotExist"), CLASSED, False),
        ({"scopes": ["CrossNamespacePodAffinity"]}, ONE_CPU, False),
    ],
)
def test_a_scoped_quota_counts_its_own_pods_only(scope: Json, spec: Json, counts: bool) -> None:
    verdict = quota_verdict(spec, [_quota({"pods": "0"}, {"pods": "0"}, **scope)], 2)
    assert (len(verdict.shortages), verdict.unmodelled) == (int(counts), ())


@pytest.mark.parametrize(
    ("quota", "spec", "name"),
    [
        # Admission may give such a pod the cluster's default class.
        (_quota({"pods": "0"}, {"pods": "0"}, **_classes("In", "high")), ONE_CPU, "quota q (scope PriorityClass)"),
        (
            _quota({"pods": "0"}, {"pods": "0"}, scopes=["CrossNamespacePodAffinity"]),
            AFFINE,
            "quota q (scope CrossNamespacePodAffinity)",
        ),
        (_quota({"pods": "0"}, {}), ONE_CPU, "quota q (its usage is not counted yet)"),
    ],
)
def test_a_quota_that_cannot_be_judged_is_named(quota: Json, spec: Json, name: str) -> None:
    verdict = quota_verdict(spec, [quota], 2)
    assert (verdict.shortages, verdict.unmodelled) == ((), (name,))
