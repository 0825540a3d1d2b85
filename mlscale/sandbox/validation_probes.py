"""What is wrong with probes and lifecycle handlers (pkg/apis/core/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import each_invalid, forbidden, invalid, not_negative, not_supported, required

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_PROBE_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_LIFECYCLE_ACTIONS = ("exec", "httpGet", "tcpSocket", "sleep")
_SECONDS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def lifecycle_causes(path: str, lifecycle: Json, grace_seconds: int | None) -> Iterator[Cause]:
    """Of ``lifecycle`` each hook has one action; ``grace_seconds`` bounds a sleep."""
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            yield from _handler(f"{path}.{hook}", lifecycle[hook], _LIFECYCLE_ACTIONS, grace_seconds)


def probes_causes(path: str, container: Json, grace_seconds: int | None) -> Iterator[Cause]:
    """The three probes of a container."""
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(key)
        if probe is None:
            continue
        yield from _probe(f"{path}.{key}", probe, grace_seconds)
        if key == "readinessProbe":
            if probe.get("terminationGracePeriodSeconds") is not None:
                seconds = probe["terminationGracePeriodSeconds"]
                words = "must not be set for readinessProbes"
                yield invalid(f"{path}.{key}.terminationGracePeriodSeconds", seconds, words)
        elif probe.get("successThreshold", 1) != 1:
            yield invalid(f"{path}.{key}.successThreshold", probe["successThreshold"], "must be 1")


def port_causes(path: str, port: int | str) -> Iterator[Cause]:
    """A port's number or its name."""
    yield from each_invalid(path, port, formats.port_name(port) if isinstance(port, str) else formats.port_number(port))


def _probe(path: str, probe: Json, grace_seconds: int | None) -> Iterator[Cause]:
    yield from _handler(path, probe, _PROBE_ACTIONS, grace_seconds)
    for key in _SECONDS:
        yield from not_negative(f"{path}.{key}", probe.get(key))
    own_grace = probe.get("terminationGracePeriodSeconds")
    if own_grace is not None and own_grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", own_grace, "must be greater than 0")


def _handler(path: str, handler: Json, actions: tuple[str, ...], grace_seconds: int | None) -> Iterator[Cause]:
    present = [action for action in actions if handler.get(action) is not None]
    if not present:
        yield required(path, "must specify a handler type")
    for index, action in enumerate(present):
        if index:
            yield forbidden(f"{path}.{action}", "may not specify more than 1 handler type")
        elif action == "sleep":
            yield from _sleep(f"{path}.sleep", handler["sleep"].get("seconds") or 0, grace_seconds)
        else:
            yield from _ACTIONS[action](f"{path}.{action}", handler[action])


def _exec(path: str, action: Json) -> Iterator[Cause]:
    if not action.get("command"):
        yield required(f"{path}.command")


def _http(path: str, action: Json) -> Iterator[Cause]:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from port_causes(f"{path}.port", action.get("port", 0))
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        yield not_supported(f"{path}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or []:
        name = header.get("name") or ""
        yield from each_invalid(f"{path}.httpHeaders", name, formats.header_name(name))


def _tcp(path: str, action: Json) -> Iterator[Cause]:
    yield from port_causes(f"{path}.port", action.get("port", 0))


def _sleep(path: str, seconds: int, grace_seconds: int | None) -> Iterator[Cause]:
    if grace_seconds is not None and not 0 <= seconds <= grace_seconds:
        words = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
        yield invalid(path, seconds, words)


_ACTIONS: dict[str, Callable[[str, Json], Iterator[Cause]]] = {
    "exec": _exec,
    "httpGet": _http,
    "tcpSocket": _tcp,
    "grpc": _tcp,
}
