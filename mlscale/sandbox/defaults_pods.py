"""What the server fills in of pods and pod templates (pkg/apis/core/v1/defaults.go, v1.37.2)."""

from __future__ import annotations

from typing import Any

from mlscale.kube.pod_resources import pod_requests
from mlscale.kube.quantity import NANO, Format, Quantity, parse_quantity, rounded_up

Json = dict[str, Any]

_MODE = 0o644
_TOKEN_SECONDS = 3600
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_FORMS: dict[str, Format] = {"cpu": "DecimalSI", "memory": "BinarySI"}
_MILLI = NANO // 1000


def default_pod(pod: Json) -> None:
    """A pod: its spec as a template's, and requests that its limits imply."""
    spec = pod.setdefault("spec", {})
    default_pod_spec(spec)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        resources = container["resources"]
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
        if spec.get("hostNetwork"):
            for port in container.get("ports") or []:
                port["hostPort"] = port.get("hostPort") or port.get("containerPort", 0)
    _pod_level_requests(spec)
    spec.setdefault("enableServiceLinks", True)


def default_pod_spec(spec: Json) -> None:
    """The spec of a pod or of a template."""
    for volume in spec.get("volumes") or []:
        _volume(volume)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        _container(container)
    for amounts in (spec.get("overhead"), *_lists(spec.get("resources"))):
        round_amounts(amounts)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec |= {"serviceAccountName": account, "serviceAccount": account}
    spec["dnsPolicy"] = spec.get("dnsPolicy") or "ClusterFirst"
    spec["restartPolicy"] = spec.get("restartPolicy") or "Always"
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec["schedulerName"] = spec.get("schedulerName") or "default-scheduler"


def _pod_level_requests(spec: Json) -> None:
    """Requests of a pod as a whole that has limits: what its containers request, else the limits."""
    resources = spec.get("resources") or {}
    if not resources.get("limits"):
        return
    asked = pod_requests({**spec, "resources": None}, overhead=False)
    sums = {name: str(Quantity(nano, _FORMS.get(name, "DecimalSI"))) for name, nano in asked.items() if name in _FORMS}
    resources["requests"] = {**resources["limits"], **sums, **(resources.get("requests") or {})}


def default_volume_claim(claim: Json) -> None:
    """A PersistentVolumeClaim inside a StatefulSet."""
    claim.setdefault("apiVersion", "v1")
    claim.setdefault("kind", "PersistentVolumeClaim")
    claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def round_amounts(amounts: Json | None) -> None:
    """Raise each amount to whole thousandths: 0.5001 cores are 501m."""
    for name, amount in (amounts or {}).items():
        quantity = parse_quantity(amount)
        if amounts is not None and quantity.nano % _MILLI:
            amounts[name] = str(Quantity(rounded_up(quantity.nano, _MILLI) * _MILLI, quantity.format))


def pull_policy(image: str) -> str:
    """``Always`` for the tag ``latest``, which is also that of an image without tag and digest; else IfNotPresent."""
    named, at, _ = image.partition("@")
    name, _, tag = named.rpartition("/")[2].partition(":")
    is_latest = tag == "latest" or not (tag or at)
    return "Always" if name and is_latest else "IfNotPresent"


def _container(container: Json) -> None:
    container["imagePullPolicy"] = container.get("imagePullPolicy") or pull_policy(container.get("image") or "")
    container["terminationMessagePath"] = container.get("terminationMessagePath") or "/dev/termination-log"
    container["terminationMessagePolicy"] = container.get("terminationMessagePolicy") or "File"
    for amounts in _lists(container.setdefault("resources", {})):
        round_amounts(amounts)
    for port in container.get("ports") or []:
        port["protocol"] = port.get("protocol") or "TCP"
    for variable in container.get("env") or []:
        _field_reference((variable.get("valueFrom") or {}).get("fieldRef"))
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if key in container:
            _probe(container[key])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _http(hook.get("httpGet"))


def _lists(resources: Json | None) -> tuple[Json | None, Json | None]:
    resources = resources or {}
    return resources.get("limits"), resources.get("requests")


def _probe(probe: Json) -> None:
    for key, value in _PROBE.items():
        probe[key] = probe.get(key) or value
    _http(probe.get("httpGet"))
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _http(action: Json | None) -> None:
    if action is not None:
        action["path"] = action.get("path") or "/"
        action["scheme"] = action.get("scheme") or "HTTP"


def _field_reference(reference: Json | None) -> None:
    if reference is not None:
        reference["apiVersion"] = reference.get("apiVersion") or "v1"


def _volume(volume: Json) -> None:
    if not any(key != "name" for key in volume):
        volume["emptyDir"] = {}
    for key in ("secret", "configMap", "downwardAPI", "projected"):
        if key in volume:
            volume[key].setdefault("defaultMode", _MODE)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "image" in volume:
        image = volume["image"]
        image["pullPolicy"] = image.get("pullPolicy") or pull_policy(image.get("reference") or "")
    files = list((volume.get("downwardAPI") or {}).get("items") or [])
    for source in (volume.get("projected") or {}).get("sources") or []:
        files += (source.get("downwardAPI") or {}).get("items") or []
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", _TOKEN_SECONDS)
    for file in files:
        _field_reference(file.get("fieldRef"))
