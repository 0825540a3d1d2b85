"""What is said about pods."""

from __future__ import annotations

from collections import Counter

from mlscale.kube.finding import Finding
from mlscale.status.pod_findings import explain_pods, explain_unread
from tests.unit.status.objects import NOW, condition, pod, unschedulable

NO_GPU = "0/7 nodes are available: 7 Insufficient nvidia.com/gpu."


def test_pods_with_the_same_trouble_are_one_finding() -> None:
    pods = [pod("web-1", **unschedulable(NO_GPU)), pod("web-2", **unschedulable(NO_GPU)), pod("web-3", phase="Running")]
    assert explain_pods(pods, NOW) == [
        Finding(
            "warning",
            "Unschedulable",
            "2 pods Unschedulable: nvidia.com/gpu is short (0/7 nodes are available: 7 Insufficient nvidia.com/gpu): "
            "web-1, web-2",
            "pod/web-1",
        )
    ]


def test_what_someone_set_up_is_a_note() -> None:
    gated = pod(phase="Pending", conditions=[condition("PodScheduled", "False", "SchedulingGated")])
    assert [f.level for f in explain_pods([gated], NOW)] == ["note"]


def test_all_namespaces_put_the_namespace_before_the_name() -> None:
    [found] = explain_pods([pod("web-1", **unschedulable(NO_GPU))], NOW, where=True)
    assert found.message.startswith("pod ml/web-1 Unschedulable")


def test_pods_that_were_not_looked_at_are_counted() -> None:
    assert [f.message for f in explain_unread(Counter({"Error": 1, "Pending": 2}))] == [
        "3 more pods are not well and were not looked at one by one: 2 Pending, 1 Error"
    ]
    assert explain_unread(Counter()) == []
