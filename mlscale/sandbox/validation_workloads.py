"""What is wrong with the workloads that keep copies of a pod.

The rules are those of pkg/apis/apps/validation/validation.go and, for a ReplicationController,
pkg/apis/core/validation/validation.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import (
    IMMUTABLE,
    each_invalid,
    forbidden,
    invalid,
    not_negative,
    not_supported,
    required,
    unchanged,
)
from mlscale.sandbox.validation_metadata import is_selector, selector_causes, selector_matches
from mlscale.sandbox.validation_pods import template_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_MISMATCH = "`selector` does not match template `labels`"
_WHOLE = 100


def deployment_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A Deployment's spec."""
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from _selected_template(spec, "deployment", "ReplicaSet")
    yield from _deployment_strategy("spec.strategy", spec.get("strategy") or {})
    least_ready = spec.get("minReadySeconds") or 0
    yield from not_negative("spec.minReadySeconds", least_ready)
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    yield from not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= least_ready:
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    yield from _same_selector(spec, before)


def replica_set_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A ReplicaSet's spec."""
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _selected_template(spec, "deployment", "ReplicaSet")
    yield from _same_selector(spec, before)


def replication_controller_causes(spec: Json) -> Iterator[Cause]:
    """A ReplicationController's spec. Counts below zero are judged last, as upstream does declaratively."""
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        yield required("spec.selector")
    if template is None:
        yield required("spec.template")
    else:
        labels = (template.get("metadata") or {}).get("labels")
        if selector and not selector_matches({"matchLabels": selector}, labels):
            yield invalid("spec.template.metadata.labels", labels, _MISMATCH)
        yield from template_causes("spec.template", template)
        yield from always_restarted("spec.template.spec", template, "ReplicationController")
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))


def daemon_set_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A DaemonSet's spec."""
    yield from _same_selector(spec, before)
    selector, template = spec.get("selector"), spec.get("template") or {}
    yield from selector_causes("spec.selector", selector)
    labels = (template.get("metadata") or {}).get("labels")
    if is_selector(selector) and not selector_matches(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, _MISMATCH)
    if selector is not None and _is_empty(selector):
        yield invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from template_causes("spec.template", template)
    yield from always_restarted("spec.template.spec", template, "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _daemon_set_strategy("spec.updateStrategy", spec.get("updateStrategy") or {})
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def stateful_set_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A StatefulSet's spec. What may not change is judged last, as upstream does declaratively."""
    management = spec.get("podManagementPolicy") or ""
    if management not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_set_strategy("spec.updateStrategy", spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for key in ("whenDeleted", "whenScaled"):
        if retention.get(key) not in ("Retain", "Delete"):
            path = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
            yield not_supported(path, retention.get(key) or "", ("Retain", "Delete"))
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if spec.get("serviceName"):
        yield from each_invalid("spec.serviceName", spec["serviceName"], formats.dns_label(spec["serviceName"]))
    yield from _selected_template({**spec, "template": _placed_template(spec)}, "statefulset", "StatefulSet")
    yield from _fixed_fields(spec, before)


def count_or_percent_causes(path: str, value: int | str) -> Iterator[Cause]:
    """A count of at least 0, or a percentage of at most 100 %."""
    yield from _count_or_percent(path, value)
    yield from _at_most_whole(path, value)


def always_restarted(path: str, template: Json, kind: str) -> Iterator[Cause]:
    """The pods of a workload that never ends: restarted always, without a deadline."""
    spec = template.get("spec") or {}
    if spec.get("restartPolicy") != "Always":
        yield not_supported(f"{path}.restartPolicy", spec.get("restartPolicy") or "", ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        yield forbidden(f"{path}.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported")


def _selected_template(spec: Json, word: str, kind: str) -> Iterator[Cause]:
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required("spec.selector")
    else:
        yield from selector_causes("spec.selector", selector)
        if _is_empty(selector):
            yield invalid("spec.selector", selector, f"empty selector is invalid for {word}")
    if not is_selector(selector):
        yield invalid("spec.selector", selector, "" if kind == "StatefulSet" else "invalid label selector")
        return
    labels = (template.get("metadata") or {}).get("labels")
    if not selector_matches(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, _MISMATCH)
    yield from template_causes("spec.template", template)
    yield from always_restarted("spec.template.spec", template, kind)


def _same_selector(spec: Json, before: Json | None) -> Iterator[Cause]:
    if before is not None:
        yield from unchanged("spec.selector", spec.get("selector"), before.get("selector"))


def _is_empty(selector: Json) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def _deployment_strategy(path: str, strategy: Json) -> Iterator[Cause]:
    kind, update = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if update is not None:
            words = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", words)
    elif kind == "RollingUpdate":
        yield from _rolling_deployment(f"{path}.rollingUpdate", update or {})
    else:
        value = {"Type": kind, "RollingUpdate": _internal(update, {"maxUnavailable": 0, "maxSurge": 0})}
        yield not_supported(path, value, ("Recreate", "RollingUpdate"))


def _internal(update: Json | None, empty: Json) -> Json | None:
    """As Go prints the internal struct, whose fields begin with a capital; ``empty`` has its zero values."""
    return (
        None if update is None else {f"{key[0].upper()}{key[1:]}": update.get(key, zero) for key, zero in empty.items()}
    )


def _rolling_deployment(path: str, update: Json) -> Iterator[Cause]:
    unavailable, surge = update.get("maxUnavailable", 0), update.get("maxSurge", 0)
    yield from _count_or_percent(f"{path}.maxUnavailable", unavailable)
    yield from _count_or_percent(f"{path}.maxSurge", surge)
    if _number(unavailable) == 0 and _number(surge) == 0:
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    yield from _at_most_whole(f"{path}.maxUnavailable", unavailable)


def _daemon_set_strategy(path: str, strategy: Json) -> Iterator[Cause]:
    kind, update = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        value = {"Type": kind, "RollingUpdate": _internal(update, {"maxUnavailable": 0, "maxSurge": 0})}
        yield not_supported(path, value, ("RollingUpdate", "OnDelete"))
        return
    at = f"{path}.rollingUpdate"
    unavailable, surge = (update or {}).get("maxUnavailable", 0), (update or {}).get("maxSurge", 0)
    for check in (_count_or_percent, _at_most_whole):
        yield from check(f"{at}.maxUnavailable", unavailable)
        yield from check(f"{at}.maxSurge", surge)
    if _number(unavailable) and _number(surge):
        yield invalid(f"{at}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not _number(unavailable) and not _number(surge):
        yield required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def _stateful_set_strategy(path: str, strategy: Json) -> Iterator[Cause]:
    kind, update = strategy.get("type") or "", strategy.get("rollingUpdate")
    internal = _internal(update, {"partition": 0, "maxUnavailable": None})
    if kind == "OnDelete":
        if update is not None:
            yield invalid(f"{path}.rollingUpdate", internal, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind != "RollingUpdate":
        value = {"Type": kind, "RollingUpdate": internal}
        yield invalid(path, value, "must be 'RollingUpdate' or 'OnDelete'")
    elif update is not None:
        yield from not_negative(f"{path}.rollingUpdate.partition", update.get("partition"))
        if update.get("maxUnavailable") is not None:
            yield from _some_unavailable(f"{path}.rollingUpdate.maxUnavailable", update["maxUnavailable"])


def _some_unavailable(path: str, unavailable: int | str) -> Iterator[Cause]:
    yield from _count_or_percent(path, unavailable)
    if _number(unavailable) == 0:
        yield invalid(path, unavailable, "cannot be 0")
    yield from _at_most_whole(path, unavailable)


def _count_or_percent(path: str, value: int | str) -> Iterator[Cause]:
    if isinstance(value, str):
        yield from each_invalid(path, value, formats.percent(value))
    else:
        yield from not_negative(path, value)


def _at_most_whole(path: str, value: int | str) -> Iterator[Cause]:
    if isinstance(value, str) and not formats.percent(value) and int(value[:-1]) > _WHOLE:
        yield invalid(path, value, "must not be greater than 100%")


def _number(value: int | str) -> int:
    """The count or the percentage; a text that is neither counts as Go's Atoi has it: a number, else 0."""
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%") if not formats.percent(value) else value
    return int(digits) if digits.lstrip("-").isdigit() else 0


def _placed_template(spec: Json) -> Json:
    """The template with the volumes of the claims, and without the names that the controller sets itself."""
    template: Json = spec.get("template") or {}
    pod = {key: value for key, value in (template.get("spec") or {}).items() if key not in ("hostname", "subdomain")}
    claimed = [(claim.get("metadata") or {}).get("name") or "" for claim in spec.get("volumeClaimTemplates") or []]
    if claimed:
        own = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claimed]
        pod["volumes"] = own + [each for each in pod.get("volumes") or [] if each.get("name") not in claimed]
    return {**template, "spec": pod}


def _fixed_fields(spec: Json, before: Json | None) -> Iterator[Cause]:
    if before is None:
        return
    for key in ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy"):
        if (spec.get(key) or None) != (before.get(key) or None):
            yield invalid(f"spec.{key}", spec.get(key), IMMUTABLE)
