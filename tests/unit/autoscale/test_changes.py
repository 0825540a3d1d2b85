"""Lines about what changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.autoscale.changes import spec_changes
from mlscale.hpa.spec import HpaOptions, build_hpa, parse_settings
from mlscale.kube.kinds import DEPLOYMENT, STATEFULSET, Kind
from mlscale.kube.targets import Target


def kind_of(_: str) -> Kind:
    return DEPLOYMENT


def spec(kind: Kind = DEPLOYMENT, **options: Any) -> dict[str, Any]:
    settings = parse_settings(HpaOptions(**{"max": "5", **options}), kind_of)
    manifest: dict[str, Any] = build_hpa("web", Target(kind, "lab", "web"), settings)["spec"]
    return manifest


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {}, []),
        ({"max": "5"}, {"max": "6"}, ["maxReplicas: 5 -> 6"]),
        ({"min": "1"}, {"min": "2"}, ["minReplicas: 1 -> 2"]),
        ({"cpu": "50%"}, {"cpu": "60%"}, ["metrics cpu: 50% -> 60%"]),
        ({"cpu": "50%"}, {"cpu": "500m"}, ["metrics cpu: 50% -> avg:500m"]),
        ({"cpu": "50%"}, {"memory": "1Gi"}, ["metrics cpu: 50% -> (none)", "metrics memory: (none) -> avg:1Gi"]),
        (
            {"cpu": "50%"},
            {"cpu": "50%", "container": "a"},
            ["metrics cpu: 50% -> (none)", "metrics cpu of container a: (none) -> 50%"],
        ),
        (
            {"metrics": ("external:q{a=b}=1", "object:deploy/api:rps=2")},
            {"metrics": ("external:q{a=b}=3", "object:deploy/api:rps=avg:2")},
            ["metrics external:q{a=b}: 1 -> 3", "metrics object:Deployment/api:rps: 2 -> avg:2"],
        ),
        ({"metrics": ("pods:rps=1",)}, {"metrics": ("pods:rps=2",)}, ["metrics pods:rps: avg:1 -> avg:2"]),
        (
            {"scale_up": "pods=4/15s,percent=100/15s"},
            {"scale_up": "pods=2/15s,window=0"},
            [
                "behavior.scaleUp.policies: pods=4/15s,percent=100/15s -> pods=2/15s",
                "behavior.scaleUp.stabilizationWindowSeconds: (none) -> 0",
            ],
        ),
    ],
)
def test_lines(before: dict[str, Any], after: dict[str, Any], lines: list[str]) -> None:
    assert list(spec_changes(spec(**before), spec(**after))) == lines


def test_another_target() -> None:
    changed = spec_changes(spec(), spec(STATEFULSET))
    assert changed == ("scaleTargetRef: Deployment/web -> StatefulSet/web",)


def test_a_manifest_is_compared_by_what_it_says() -> None:
    """The server would fill in minReplicas 1 and behavior; the manifest does not know that yet."""
    live = spec(min="1", cpu="50%", memory="70%", scale_up="window=0")
    assert spec_changes(live, spec(max="6"), given_only=True) == ("maxReplicas: 5 -> 6",)
    assert spec_changes(live, spec(cpu="50%"), given_only=True) == ("metrics memory: 70% -> (none)",)


def test_text_of_the_cluster_is_made_harmless() -> None:
    live = {**spec(), "scaleTargetRef": {"kind": "Deployment", "name": "\x1b[31m"}}
    assert "\x1b" not in spec_changes(live, spec())[0]


options = st.fixed_dictionaries(
    {"max": st.sampled_from(["5", "6"])},
    optional={
        "min": st.sampled_from(["1", "2"]),
        "cpu": st.sampled_from(["50%", "60%", "500m"]),
        "memory": st.sampled_from(["70%", "1Gi"]),
        "scale_down": st.sampled_from(["disabled", "pods=1/15s", "pods=1/30s", "window=0"]),
        "tolerance": st.sampled_from(["0.05", "0.2"]),
        "metrics": st.sampled_from([("pods:rps=1",), ("external:q{a=b}=1",), ("external:q{a=c}=1",)]),
    },
)


@given(options, options)
def test_no_difference_goes_untold(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = spec(**before), spec(**after)
    assert bool(spec_changes(old, new)) == (old != new)
    assert len(spec_changes(new, old)) == len(spec_changes(old, new))
