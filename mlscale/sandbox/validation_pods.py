"""What is wrong with a pod or a pod template (pkg/apis/core/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.pod_resources import pod_requests
from mlscale.kube.quantity import NANO, Quantity, nano_of
from mlscale.sandbox import formats
from mlscale.sandbox.causes import duplicate, each_invalid, forbidden, invalid, not_negative, not_supported, required
from mlscale.sandbox.spec_difference import spec_difference
from mlscale.sandbox.validation_containers import containers_causes, init_containers_causes, untrimmed_images
from mlscale.sandbox.validation_metadata import annotation_causes, label_causes
from mlscale.sandbox.validation_placement import (
    added_only,
    affinity_causes,
    spread_causes,
    toleration_causes,
)
from mlscale.sandbox.validation_resources import container_resource_causes, pod_resource_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_MOST_SECONDS = 2**31 - 1
_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_CHANGEABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def template_causes(path: str, template: Json) -> Iterator[Cause]:
    """A pod template: labels, annotations and spec."""
    metadata = template.get("metadata") or {}
    yield from label_causes(f"{path}.labels", metadata.get("labels"))
    yield from annotation_causes(f"{path}.annotations", metadata.get("annotations"))
    yield from _deletion_cost(f"{path}.annotations", metadata)
    spec = template.get("spec") or {}
    yield from pod_spec_causes(f"{path}.spec", spec)
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def pod_causes(pod: Json, before: Json | None) -> Iterator[Cause]:
    """A pod's annotations and spec, and what of a stored one may not change."""
    spec = pod.get("spec") or {}
    yield from _deletion_cost("metadata.annotations", pod.get("metadata") or {})
    yield from pod_spec_causes("spec", spec, in_pod=True)
    yield from not_negative("spec.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    yield from untrimmed_images("spec.containers", spec.get("containers") or [])
    yield from untrimmed_images("spec.initContainers", spec.get("initContainers") or [])
    if before is None:
        yield from _new_pod(spec)
    else:
        yield from _changed_pod(spec, before.get("spec") or {})


def pod_spec_causes(path: str, spec: Json, *, in_pod: bool = False) -> Iterator[Cause]:
    """A pod spec; ``in_pod``: of a pod, not of a template."""
    volumes, found = _volumes(f"{path}.volumes", spec.get("volumes") or [])
    yield from found
    yield from containers_causes(f"{path}.containers", spec, volumes)
    yield from init_containers_causes(f"{path}.initContainers", spec, volumes)
    yield from _pod_level(f"{path}.resources", spec)
    yield from _host_network(f"{path}.containers", spec, in_pod)
    yield from _word(f"{path}.restartPolicy", spec.get("restartPolicy") or "", _RESTART)
    yield from _word(f"{path}.dnsPolicy", spec.get("dnsPolicy") or "", _DNS)
    yield from label_causes(f"{path}.nodeSelector", spec.get("nodeSelector"))
    yield from affinity_causes(f"{path}.affinity", spec.get("affinity") or {})
    for index, gate in enumerate(spec.get("readinessGates") or []):
        kind = gate.get("conditionType") or ""
        yield from each_invalid(f"{path}.readinessGates[{index}].conditionType", kind, formats.label_key(kind))
    yield from _gates(f"{path}.schedulingGates", spec.get("schedulingGates") or [])
    yield from spread_causes(f"{path}.topologySpreadConstraints", spec.get("topologySpreadConstraints") or [])
    yield from _names(path, spec)
    yield from toleration_causes(f"{path}.tolerations", spec.get("tolerations") or [])
    yield from _named_classes(path, spec)


def _deletion_cost(path: str, metadata: Json) -> Iterator[Cause]:
    value = (metadata.get("annotations") or {}).get(_DELETION_COST)
    if value is None:
        return
    digits = value.removeprefix("-")
    if not digits.isdigit() or (digits != "0" and digits.startswith("0")) or value == "-0":
        yield invalid(f"{path}[{_DELETION_COST}]", value, "must be a 32bit integer")


def _volumes(path: str, volumes: list[Json]) -> tuple[set[str], list[Cause]]:
    """The names that can be mounted, and what is wrong with the rest."""
    names: set[str] = set()
    found: list[Cause] = []
    for index, volume in enumerate(volumes):
        at, name = f"{path}[{index}]", volume.get("name") or ""
        wrong = list(_volume(at, volume))
        wrong += each_invalid(f"{at}.name", name, formats.dns_label(name)) if name else [required(f"{at}.name")]
        if name in names:
            wrong.append(duplicate(f"{at}.name", name))
        if not wrong:
            names.add(name)
        found += wrong
    return names, found


def _volume(path: str, volume: Json) -> Iterator[Cause]:
    sources = [key for key in volume if key != "name" and volume[key] is not None]
    for key in sources[1:]:
        yield forbidden(f"{path}.{key}", "may not specify more than 1 volume type")
    needed = {"hostPath": "path", "secret": "secretName", "configMap": "name", "persistentVolumeClaim": "claimName"}
    for key in sources[:1]:
        if key in needed and not volume[key].get(needed[key]):
            yield required(f"{path}.{key}.{needed[key]}")


def _pod_level(path: str, spec: Json) -> Iterator[Cause]:
    resources = spec.get("resources")
    if resources is None:
        return
    yield from pod_resource_causes(path, resources, [])
    needed = pod_requests({**spec, "resources": None}, overhead=False)
    for name, request in sorted((resources.get("requests") or {}).items()):
        if name in needed and needed[name] > nano_of(request):
            words = f"must be greater than or equal to aggregate container requests of {_text(name, needed[name])}"
            yield invalid(f"{path}.requests[{name}]", request, words)
    yield from _limits_within(path.removesuffix(".resources"), spec, resources.get("limits") or {})


def _limits_within(path: str, spec: Json, limits: Json) -> Iterator[Cause]:
    for index, container in enumerate(spec.get("containers") or []):
        for name, limit in sorted(((container.get("resources") or {}).get("limits") or {}).items()):
            if name in limits and nano_of(limit) > nano_of(limits[name]):
                words = f"must be less than or equal to pod limits of {limits[name]}"
                yield invalid(f"{path}.containers[{index}].resources.limits[{name}]", limit, words)


def _text(name: str, nano: int) -> str:
    return str(Quantity(nano, "DecimalSI" if name == "cpu" or nano % NANO else "BinarySI"))


def _host_network(path: str, spec: Json, in_pod: bool) -> Iterator[Cause]:
    if not spec.get("hostNetwork"):
        return
    for index, container in enumerate(spec.get("containers") or []):
        for number, port in enumerate(container.get("ports") or []):
            held = port.get("hostPort") or 0
            if (in_pod or held) and held != port.get("containerPort"):
                words = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{path}[{index}].ports[{number}].hostPort", held, words)


def _word(path: str, value: str, known: tuple[str, ...]) -> Iterator[Cause]:
    if not value:
        yield required(path)
    elif value not in known:
        yield not_supported(path, value, known)


def _gates(path: str, gates: list[Json]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        yield from each_invalid(f"{path}[{index}]", name, formats.label_key(name))
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)


def _names(path: str, spec: Json) -> Iterator[Cause]:
    for key in ("serviceAccountName", "nodeName"):
        if spec.get(key):
            yield from each_invalid(f"{path}.{key}", spec[key], formats.dns_subdomain(spec[key]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _MOST_SECONDS:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, formats.between(1, _MOST_SECONDS))
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            yield from each_invalid(f"{path}.{key}", spec[key], formats.dns_label(spec[key]))


def _named_classes(path: str, spec: Json) -> Iterator[Cause]:
    for key in ("priorityClassName", "runtimeClassName"):
        if spec.get(key):
            yield from each_invalid(f"{path}.{key}", spec[key], formats.dns_subdomain(spec[key]))
    if spec.get("preemptionPolicy") is not None:
        yield from _word(f"{path}.preemptionPolicy", spec["preemptionPolicy"], _PREEMPTION)
    if spec.get("overhead") is not None:
        yield from container_resource_causes(f"{path}.overhead", {"limits": spec["overhead"]}, [])


def _new_pod(spec: Json) -> Iterator[Cause]:
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def _changed_pod(spec: Json, before: Json) -> Iterator[Cause]:
    for key in ("containers", "initContainers"):
        if len(spec.get(key) or []) != len(before.get(key) or []):
            yield forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
    deadline, held = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if deadline is not None and held is not None and held < deadline:
        yield invalid("spec.activeDeadlineSeconds", deadline, "must be less than or equal to previous value")
        return
    if deadline is None and held is not None:
        words = "must not update from a positive integer to nil value"
        yield invalid("spec.activeDeadlineSeconds", deadline, words)
    yield from added_only("spec.tolerations", spec.get("tolerations") or [], before.get("tolerations") or [])
    yield from _added_gates(spec.get("schedulingGates") or [], before.get("schedulingGates") or [])
    yield from _fixed_fields(spec, before)


def _added_gates(gates: list[Json], before: list[Json]) -> Iterator[Cause]:
    held = {gate.get("name") for gate in before}
    for index, gate in enumerate(gates):
        if gate.get("name") not in held:
            words = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", words)


def _fixed_fields(spec: Json, before: Json) -> Iterator[Cause]:
    munged = dict(spec)
    for key in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        munged.pop(key, None)
        if key in before:
            munged[key] = before[key]
    for key in ("containers", "initContainers"):
        if key in spec:
            pairs = zip(spec[key], before[key], strict=True)
            munged[key] = [{**new, "image": old.get("image")} for new, old in pairs]
    if before.get("schedulingGates"):
        munged |= {key: before[key] for key in ("nodeSelector",) if key in before}
    if munged != before:
        words = f"pod updates may not change fields other than {_CHANGEABLE}\n{spec_difference(before, munged)}"
        yield forbidden("spec", words)
