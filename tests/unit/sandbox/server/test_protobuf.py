"""Protobuf bodies: those that kubectl 1.37.2 sends, and an object as the API server wrote it in both forms."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.server.protobuf import decoded

SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "kubectl create namespace x": (
        "azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhkKEQoBeBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}},
    ),
    "kubectl autoscale deploy web --min=2 --max=5 --cpu=50% --memory=200Mi": (
        "azhzAAopCg5hdXRvc2NhbGluZy92MhIXSG9yaXpvbnRhbFBvZEF1dG9zY2FsZXISkAEKEwoDd2ViEgAaACIAKgAyADgAQgAScwoaCgpEZXBs"
        "b3ltZW50EgN3ZWIaB2FwcHMvdjEQAhgFIiIKCFJlc291cmNlIhYKA2NwdRIPCgtVdGlsaXphdGlvbiAyIi0KCFJlc291cmNlIiEKBm1lbW9y"
        "eRIXCgxBdmVyYWdlVmFsdWUaBwoFMjAwTWkaBBgAIAAaACIA",
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
                "minReplicas": 2,
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                    },
                    {
                        "type": "Resource",
                        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "200Mi"}},
                    },
                ],
            },
            # Its JSON has no omitempty for this one.
            "status": {"desiredReplicas": 0},
        },
    ),
    "kubectl create role r --verb=get --resource=pods": (
        "azhzAAokChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgRSb2xlEiIKEQoBchIAGgAiACoAMgA4AEIAEg0KA2dldBIAGgRwb2RzGgAi"
        "AA==",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "r"},
            "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
        },
    ),
    "kubectl create deployment d --image=i --replicas=0": (
        "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EpsBChsKAWQSABoAIgAqADIAOABCAFoICgNhcHASAWQSbggAEgoKCAoDYXBwEgFkGlYKGgoA"
        "EgAaACIAKgAyADgAQgBaCAoDYXBwEgFkEjgSGgoBaRIBaSoAQgBqAHIAgAEAiAEAkAEAogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIB"
        "ACICCgAoADgAGgwIABAAGAAgACgAOAAaACIA",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "labels": {"app": "d"}},
            "spec": {
                # A pointer: that it is 0 is said, minReadySeconds beside it is not.
                "replicas": 0,
                "selector": {"matchLabels": {"app": "d"}},
                "template": {
                    "metadata": {"labels": {"app": "d"}},
                    "spec": {"containers": [{"name": "i", "image": "i"}]},
                },
            },
        },
    ),
}
BODY = b64decode(next(iter(SENT.values()))[0])


@pytest.mark.parametrize(("body", "expected"), SENT.values(), ids=SENT)
def test_what_kubectl_sends(body: str, expected: dict[str, Any]) -> None:
    assert decoded(b64decode(body)) == expected


def test_a_deployment_in_both_forms() -> None:
    """With inlined volume sources and probes, quantities, ports by name and number, managed fields."""
    recorded = json.loads(Path(__file__).with_name("deployment_protobuf.json").read_text(encoding="utf-8"))
    in_json, read = recorded["json"], decoded(b64decode(recorded["protobuf"]))
    del in_json["status"]
    # Two dry runs: each had a uid of its own.
    assert read["metadata"].pop("uid") != in_json["metadata"].pop("uid")
    assert read == in_json


@pytest.mark.parametrize("body", [b"", b"{}", BODY[:-3], BODY[:9], b"k8s\0\x0a\xff"])
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the words differ
        decoded(body)


def test_a_kind_that_is_not_served() -> None:
    with pytest.raises(ValueError, match='no kind "Secret" is known for version "v1"'):
        decoded(b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret")


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused(junk: bytes) -> None:
    try:
        obj = decoded(b"k8s\0" + BODY[4:22] + junk)
    except ValueError:
        return
    assert obj["kind"] == "Namespace"
