"""What is wrong with the containers of a pod (pkg/apis/core/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import duplicate, each_invalid, forbidden, invalid, not_found, not_supported, required
from mlscale.sandbox.validation_probes import lifecycle_causes, probes_causes
from mlscale.sandbox.validation_resources import container_resource_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_ENVIRONMENT_PATHS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_OTHER_PATHS = ("metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase")
"""Paths that a volume or a selector may name and a variable may not."""
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_ONLY_SIDECARS = "may not be set for init containers without restartPolicy=Always"


def containers_causes(path: str, spec: Json, volumes: set[str]) -> Iterator[Cause]:
    """The containers of ``spec``; ``volumes`` are the names that they may mount."""
    containers = spec.get("containers") or []
    if not containers:
        yield required(path)
    seen: set[str] = set()
    for index, container in enumerate(containers):
        at, name = f"{path}[{index}]", container.get("name") or ""
        yield from _common(at, container, spec, volumes)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        yield from _hooks(at, container, spec)
        yield from _restart_policy(at, container)
    yield from _host_ports(path, containers)


def init_containers_causes(path: str, spec: Json, volumes: set[str]) -> Iterator[Cause]:
    """The init containers, sidecars among them; no name may be that of a container."""
    seen = {container.get("name") or "" for container in spec.get("containers") or []}
    for index, container in enumerate(spec.get("initContainers") or []):
        at, name = f"{path}[{index}]", container.get("name") or ""
        yield from _common(at, container, spec, volumes)
        yield from _restart_policy(at, container)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        elif name:
            seen.add(name)
        yield from _host_ports(path, [container])
        if container.get("restartPolicy") == "Always":
            yield from _hooks(at, container, spec)
        else:
            for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(key) is not None:
                    yield forbidden(f"{at}.{key}", _ONLY_SIDECARS)


def untrimmed_images(path: str, containers: list[Json]) -> Iterator[Cause]:
    """Images with blanks around them, which a template may have and a pod may not."""
    for index, container in enumerate(containers):
        image = container.get("image") or ""
        if image != image.strip():
            yield invalid(f"{path}[{index}].image", image, "must not have leading or trailing whitespace")


def _common(path: str, container: Json, spec: Json, volumes: set[str]) -> Iterator[Cause]:
    name = container.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from each_invalid(f"{path}.name", name, formats.dns_label(name))
    if not container.get("image"):
        yield required(f"{path}.image")
    if container.get("terminationMessagePolicy") not in _MESSAGE_POLICIES:
        yield not_supported(
            f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy") or "", _MESSAGE_POLICIES
        )
    yield from _ports(f"{path}.ports", container.get("ports") or [])
    yield from _environment(f"{path}.env", container.get("env") or [])
    yield from _environment_from(f"{path}.envFrom", container.get("envFrom") or [])
    yield from _mounts(f"{path}.volumeMounts", container.get("volumeMounts") or [], volumes)
    if container.get("imagePullPolicy") not in _PULL_POLICIES:
        yield not_supported(f"{path}.imagePullPolicy", container.get("imagePullPolicy") or "", _PULL_POLICIES)
    claims = [claim.get("name") or "" for claim in spec.get("resourceClaims") or []]
    yield from container_resource_causes(f"{path}.resources", container.get("resources") or {}, claims)
    yield from _resize_policies(f"{path}.resizePolicy", container.get("resizePolicy") or [], spec)


def _hooks(path: str, container: Json, spec: Json) -> Iterator[Cause]:
    grace_seconds = spec.get("terminationGracePeriodSeconds")
    if container.get("lifecycle") is not None:
        yield from lifecycle_causes(f"{path}.lifecycle", container["lifecycle"], grace_seconds)
    yield from probes_causes(path, container, grace_seconds)


def _restart_policy(path: str, container: Json) -> Iterator[Cause]:
    policy = container.get("restartPolicy")
    if policy is not None and policy not in _RESTART_POLICIES:
        yield not_supported(f"{path}.restartPolicy", policy, _RESTART_POLICIES)
    if policy is None and container.get("restartPolicyRules"):
        yield required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")


def _ports(path: str, ports: list[Json]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        at, name, number = f"{path}[{index}]", port.get("name") or "", port.get("containerPort") or 0
        errors = formats.port_name(name) if name else []
        yield from each_invalid(f"{at}.name", name, errors)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        elif name and not errors:
            seen.add(name)
        if not number:
            yield required(f"{at}.containerPort")
        else:
            yield from each_invalid(f"{at}.containerPort", number, formats.port_number(number))
        if port.get("hostPort"):
            yield from each_invalid(f"{at}.hostPort", port["hostPort"], formats.port_number(port["hostPort"]))
        if port.get("protocol") not in _PROTOCOLS:
            yield not_supported(f"{at}.protocol", port.get("protocol") or "", _PROTOCOLS)


def _host_ports(path: str, containers: list[Json]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            named = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if named in seen:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", named)
            seen.add(named)


def _environment(path: str, variables: list[Json]) -> Iterator[Cause]:
    for index, variable in enumerate(variables):
        name = variable.get("name") or ""
        if not name:
            yield required(f"{path}[{index}].name")
        else:
            yield from each_invalid(f"{path}[{index}].name", name, formats.environment_name(name))
        if variable.get("valueFrom") is not None:
            yield from _value_from(f"{path}[{index}].valueFrom", variable)


def _value_from(path: str, variable: Json) -> Iterator[Cause]:
    source = variable["valueFrom"]
    present = [key for key in _SOURCES if source.get(key) is not None]
    if "fieldRef" in present:
        yield from _field_reference(f"{path}.fieldRef", source["fieldRef"])
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in present:
            yield from _key_reference(f"{path}.{key}", source[key])
    if not present:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(path, "", f"must specify one of: {listed}")
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(present) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _field_reference(path: str, reference: Json) -> Iterator[Cause]:
    field = reference.get("fieldPath") or ""
    if not field:
        yield required(f"{path}.fieldPath")
    elif field in _OTHER_PATHS:
        yield not_supported(f"{path}.fieldPath", field, _ENVIRONMENT_PATHS)
    elif field not in _ENVIRONMENT_PATHS and not field.startswith(("metadata.labels[", "metadata.annotations[")):
        words = f"error converting fieldPath: field label not supported: {field}"
        yield invalid(f"{path}.fieldPath", field, words)


def _key_reference(path: str, reference: Json) -> Iterator[Cause]:
    name = reference.get("name") or ""
    yield from each_invalid(f"{path}.name", name, formats.dns_subdomain(name))
    key = reference.get("key") or ""
    if not key:
        yield required(f"{path}.key")
    else:
        yield from each_invalid(f"{path}.key", key, formats.config_key(key))


def _environment_from(path: str, sources: list[Json]) -> Iterator[Cause]:
    for index, source in enumerate(sources):
        at, prefix = f"{path}[{index}]", source.get("prefix") or ""
        if prefix:
            yield from each_invalid(f"{at}.prefix", prefix, formats.environment_name(prefix))
        present = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in present:
            if name := source[key].get("name"):
                yield from each_invalid(f"{at}.{key}.name", name, formats.dns_subdomain(name))
            else:
                yield required(f"{at}.{key}.name")
        if not present:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(present) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def _mounts(path: str, mounts: list[Json], volumes: set[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        at, name, place = f"{path}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{at}.name")
        if name not in volumes:
            yield not_found(f"{at}.name", name)
        if not place:
            yield required(f"{at}.mountPath")
        if place in seen:
            yield invalid(f"{at}.mountPath", place, "must be unique")
        seen.add(place)


def _resize_policies(path: str, policies: list[Json], spec: Json) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        for value, known in ((name, ("cpu", "memory")), (restart, ("NotRequired", "RestartContainer"))):
            if not value:
                yield required(path)
            elif value not in known:
                yield not_supported(path, value, known)
        if spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            yield invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")
