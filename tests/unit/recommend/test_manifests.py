"""The lines and objects of steps."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.hpa.replay_model import Setting
from mlscale.kube.kinds import STATEFULSET, Kind
from mlscale.kube.targets import Target
from mlscale.recommend.manifests import (
    autoscale_command,
    hpa_manifest,
    hpa_options,
    metric_options,
    resize_commands,
    resize_manifest,
    scale_command,
    settings_of,
)
from mlscale.recommend.model import Resize, Size
from tests.unit.recommend.objects import TARGET

ROLLOUT = Target(Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", scalable=True), "shop", "web")
GROWN = Resize(
    Size("model", "500m", "1", "512Mi", "1Gi"),
    Size("model", "500m", "2", "1173Mi", "1Gi"),
)


@given(
    low=st.integers(1, 50),
    more=st.integers(0, 50),
    target=st.integers(1, 200),
    window=st.sampled_from([60.0, 300.0, 900.0, 3600.0]),
)
def test_an_hpa_is_what_its_options_say(low: int, more: int, target: int, window: float) -> None:
    options = hpa_options(Setting(low, low + more, target, 0.5, window))
    spec = hpa_manifest(TARGET, "web", options)["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (low, low + more)
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": target}
    down = (spec.get("behavior") or {}).get("scaleDown") or {}
    assert down.get("stabilizationWindowSeconds", 300) == window
    assert ("behavior" in spec) == (window != 300)


def test_commands_name_the_kind_and_namespace() -> None:
    options = hpa_options(Setting(2, 9, 65, 0.5))
    assert autoscale_command(TARGET, "web", options) == (
        "mlscale autoscale deployment/web -n shop --min 2 --max 9 --cpu 65%"
    )
    assert scale_command(Target(STATEFULSET, "shop", "db"), 4) == "mlscale scale statefulset/db -n shop --replicas 4"
    assert scale_command(ROLLOUT, 4) == "mlscale scale rollouts.argoproj.io/web -n shop --replicas 4"


def test_a_metric_goes_through_the_options_of_autoscale() -> None:
    options = metric_options(1, 4, "pods:vllm:num_requests_waiting=3")
    metric = settings_of(options).metrics[0]
    assert metric["pods"]["metric"] == {"name": "vllm:num_requests_waiting"}
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": "3"}


def test_only_what_changes_is_set() -> None:
    assert resize_commands(TARGET, [GROWN]) == (
        "kubectl set resources deployment web -n shop -c model --requests=memory=1173Mi --limits=cpu=2"
    )
    assert resize_manifest(TARGET, [GROWN], frozenset()) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {"name": "model", "resources": {"requests": {"memory": "1173Mi"}, "limits": {"cpu": "2"}}}
                    ]
                }
            }
        },
    }


def test_a_sidecar_is_an_init_container() -> None:
    spec = resize_manifest(TARGET, [GROWN], frozenset({"model"}))["spec"]["template"]["spec"]
    assert list(spec) == ["initContainers"]


def test_kubectl_cannot_resize_a_custom_resource() -> None:
    assert resize_commands(ROLLOUT, [GROWN]) == ""
    assert resize_manifest(ROLLOUT, [GROWN], frozenset())["kind"] == "Rollout"


@pytest.mark.parametrize("name", ["web; rm -rf /", "$(id)", "a b"])
def test_a_name_cannot_leave_its_word(name: str) -> None:
    """Commands are pasted into a shell."""
    assert shlex.split(scale_command(Target(STATEFULSET, "shop", name), 1))[2] == f"statefulset/{name}"
