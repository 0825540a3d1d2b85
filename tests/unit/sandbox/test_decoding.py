"""What a real API server (v1.37.2) makes of fields that it does not know, of nulls and of values of another type."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.decoding import MismatchError, decode

Json = dict[str, Any]


def deployment(pod: Json | None = None, **spec: Any) -> Json:
    template = {"spec": {"containers": [{"name": "a", **(pod or {})}]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}, "spec": {"template": template, **spec}}  # fmt: skip  # noqa: E501


INTO = "json: cannot unmarshal {} into Go struct field {} of type {}"
CONTAINER = "Container.spec.template.spec.containers"


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (deployment(replicas="x"), ("string", "DeploymentSpec.spec.replicas", "int32")),
        (deployment(replicas=99999999999), ("number 99999999999", "DeploymentSpec.spec.replicas", "int32")),
        (deployment(replicas=1.5), ("number 1.5", "DeploymentSpec.spec.replicas", "int32")),
        (deployment(replicas=True), ("bool", "DeploymentSpec.spec.replicas", "int32")),
        (deployment(paused="x"), ("string", "DeploymentSpec.spec.paused", "bool")),
        (deployment(template=3), ("number", "DeploymentSpec.spec.template", "v1.PodTemplateSpec")),
        (deployment(selector="x"), ("string", "DeploymentSpec.spec.selector", "v1.LabelSelector")),
        (deployment({"image": 3}), ("number", f"{CONTAINER}.image", "string")),
        (deployment({"args": [1]}), ("number", f"{CONTAINER}.args", "string")),
        (deployment({"args": "x"}), ("string", f"{CONTAINER}.args", "[]string")),
        (deployment({"env": [{"name": "x", "value": 1}]}),
         ("number", "EnvVar.spec.template.spec.containers.env.value", "string")),
        (deployment({"resources": {"requests": [1]}}),
         ("array", "ResourceRequirements.spec.template.spec.containers.resources.requests", "v1.ResourceList")),
        (deployment(template={"spec": {"containers": {"a": 1}}}),
         ("object", "PodSpec.spec.template.spec.containers", "[]v1.Container")),
        (deployment(template={"spec": {"containers": [1]}}),
         ("number", "PodSpec.spec.template.spec.containers", "v1.Container")),
        ({**deployment(), "metadata": {"labels": {"a": 1}}}, ("number", "ObjectMeta.metadata.labels", "string")),
        ({**deployment(), "metadata": {"labels": ["a"]}}, ("array", "ObjectMeta.metadata.labels", "map[string]string")),
        ({**deployment(), "metadata": "x"}, ("string", "Deployment.metadata", "v1.ObjectMeta")),
    ],
)  # fmt: skip
def test_a_value_of_another_type(obj: Json, words: tuple[str, str, str]) -> None:
    with pytest.raises(MismatchError) as error:
        decode(obj)
    assert str(error.value) == INTO.format(*words)


def test_unknown_fields_go_and_are_named_in_the_order_of_the_document() -> None:
    decoded = decode({**deployment({"foo": 1}, bar=2), "zip": 3})
    assert decoded.unknown == ("spec.template.spec.containers[0].foo", "spec.bar", "zip")
    assert decoded.object == deployment()


def test_nulls_unset_but_of_times_and_of_maps_of_strings() -> None:
    assert decode(deployment(replicas=None)).object == deployment()
    head: Json = {"apiVersion": "v1", "kind": "Pod"}
    condition = {"type": "Ready", "lastProbeTime": None}
    pod = {**head, "metadata": {"creationTimestamp": None, "labels": {"a": None}}, "status": {"conditions": [condition]}}  # fmt: skip  # noqa: E501
    assert decode(pod).object == {**head, "metadata": {"labels": {"a": ""}}, "status": {"conditions": [condition]}}


def test_of_a_custom_resource_only_the_metadata_is_known() -> None:
    head: Json = {"apiVersion": "example.com/v1", "kind": "Thing"}
    decoded = decode({**head, "metadata": {"name": "a", "nome": "b"}, "spec": {"x": {"y": [1]}}})
    assert decoded.object == {**head, "metadata": {"name": "a"}, "spec": {"x": {"y": [1]}}}
    assert decoded.unknown == ("metadata.nome",)


def test_a_quantity_may_be_a_number_and_a_port_a_name() -> None:
    pod = {"resources": {"limits": {"cpu": 2}}, "readinessProbe": {"httpGet": {"port": "http"}}}
    assert decode(deployment(pod)).object == deployment(pod)


def test_what_is_zero_and_no_pointer_is_left_out() -> None:
    """Go's omitempty: kubectl shows none of it, and nobody owns it."""
    sent = {
        "env": [], "command": [], "workingDir": "", "tty": False, "image": "",
        "ports": [{"containerPort": 0, "hostPort": 0, "name": ""}], "resources": {"limits": {}},
    }  # fmt: skip
    kept = {"ports": [{"containerPort": 0}], "resources": {}}
    assert decode(deployment(sent, paused=False, minReadySeconds=0)).object == deployment(kept)


def test_what_is_zero_and_a_pointer_or_always_shown_stays() -> None:
    spec = {"replicas": 0, "revisionHistoryLimit": 0, "strategy": {}}
    pod = {"securityContext": {"runAsUser": 0, "privileged": False}, "readinessProbe": {}}
    assert decode(deployment(pod, **spec)).object == deployment(pod, **spec)
    empty = deployment(template={"spec": {"containers": []}})
    assert decode(empty).object == empty


def test_an_empty_list_may_mean_another_thing_than_none() -> None:
    """Empty managedFields forget all owners; a scaling rule of no policies is refused."""
    config: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": []}}
    scaler: Json = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    scaler["spec"] = {"maxReplicas": 0, "behavior": {"scaleUp": {"policies": []}}}
    assert decode(config).object == config
    assert decode(scaler).object == scaler


def test_the_fields_of_an_embedded_struct_are_left_out_too() -> None:
    """A ConfigMapKeySelector has its name from an embedded LocalObjectReference; an EphemeralContainer nearly all."""
    pod: Json = {"apiVersion": "v1", "kind": "Pod"}
    source = {"valueFrom": {"configMapKeyRef": {"name": "", "key": ""}}}
    sent = {"containers": [], "ephemeralContainers": [{"name": "", "image": "", "env": [{"name": "A", **source}]}]}
    kept = {"name": "A", "valueFrom": {"configMapKeyRef": {"key": ""}}}
    decoded = decode({**pod, "spec": sent}).object["spec"]
    assert decoded == {"containers": [], "ephemeralContainers": [{"name": "", "env": [kept]}]}
