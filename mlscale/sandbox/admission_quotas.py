"""What ResourceQuotas refuse, and what each object uses of them.

The rules are those of apiserver pkg/admission/plugin/resourcequota/controller.go and kubernetes
pkg/quota/v1/evaluator/core, v1.37.2. Upstream adds to ``status.used`` as it admits; here what is used is summed
from the stored objects, so that a dry run and a refused write leave no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.admission import pod_usage
from mlscale.kube.pod_resources import containers_of, has_pod_level_resources, is_best_effort
from mlscale.kube.quantity import NANO, Quantity, nano_of, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.kinds import Kind
    from mlscale.kube.pod_resources import Amounts
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

_ALIASES = ("configmaps", "resourcequotas", "replicationcontrollers", "secrets", "services", "persistentvolumeclaims")
"""Resources that a quota counts by their bare names too."""
_MUST_BE_SET = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")
_POD_NAMES = frozenset({"pods", "count/pods", *_MUST_BE_SET, "ephemeral-storage", "requests.ephemeral-storage"})
_POD_PREFIXES = ("hugepages-", "requests.hugepages-")


def quota_refusal(store: Store, kind: Kind, obj: Json, before: Json | None) -> str:
    """Why the quotas of its namespace refuse ``obj``; empty if they do not."""
    if before is not None and kind.resource != "services":
        return ""
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    quotas = [quota for quota in store.list("resourcequotas", namespace) if applies(kind, quota, obj)]
    asked = usage_of(kind.resource, obj)
    if before is not None:
        held = usage_of(kind.resource, before)
        asked = {name: max(nano - held.get(name, 0), 0) for name, nano in asked.items()}
    for quota in quotas:
        refusal = _unmet(kind, quota, obj)
        if refusal:
            return refusal
    return next((refusal for quota in quotas for refusal in _exceeded(store, kind, quota, obj, asked)), "")


def applies(kind: Kind, quota: Json, obj: Json) -> bool:
    """Whether ``quota`` bounds something that ``obj`` uses, and its scopes hold ``obj``."""
    hard = (quota.get("status") or {}).get("hard") or {}
    if not _counted(kind.resource, hard):
        return False
    return all(kind.resource == "pods" and in_scope(selector, obj["spec"]) for selector in _selectors(quota))


def usage_of(resource: str, obj: Json) -> Amounts:
    """What one object of ``resource`` (``deployments.apps``) uses, in nano-units by the quota's names.

    A pod that has ended uses nothing but its place in ``count/pods``.
    """
    if resource == "pods":
        ended = (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        return {"count/pods": NANO} if ended else pod_usage(obj["spec"])
    usage = {f"count/{resource}": NANO}
    if resource in _ALIASES:
        usage[resource] = NANO
    if resource == "services":
        usage |= _service_usage(obj.get("spec") or {})
    return usage


def in_scope(selector: Json, spec: Json) -> bool:
    """Whether a pod of ``spec`` is held by one scope of a quota."""
    scope = selector.get("scopeName")
    if scope == "PriorityClass":
        return _of_class(selector, spec.get("priorityClassName") or "")
    terminating = (spec.get("activeDeadlineSeconds") or -1) >= 0
    holds = {
        "BestEffort": is_best_effort(spec),
        "NotBestEffort": not is_best_effort(spec),
        "Terminating": terminating,
        "NotTerminating": not terminating,
        "CrossNamespacePodAffinity": _crosses_namespaces(spec),
    }
    return holds.get(str(scope), False)


def _counted(resource: str, hard: Json) -> list[str]:
    """Those of the bounded names that objects of ``resource`` use."""
    if resource == "pods":
        return [name for name in hard if _is_of_pods(name)]
    known = {f"count/{resource}", *([resource] if resource in _ALIASES else [])}
    if resource == "services":
        known |= {"services.nodeports", "services.loadbalancers"}
    return [name for name in hard if name in known]


def _is_of_pods(name: str) -> bool:
    if name in _POD_NAMES or name.startswith(_POD_PREFIXES) or name == "limits.ephemeral-storage":
        return True
    bare = name.removeprefix("requests.")
    return bare != name and "/" in bare and "kubernetes.io/" not in bare


def _selectors(quota: Json) -> list[Json]:
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or []]
    return scopes + ((spec.get("scopeSelector") or {}).get("matchExpressions") or [])


def _of_class(selector: Json, name: str) -> bool:
    listed = name in (selector.get("values") or [])
    holds = {"In": listed, "NotIn": not listed, "Exists": bool(name), "DoesNotExist": not name}
    return holds.get(selector.get("operator") or "", False)


def _crosses_namespaces(spec: Json) -> bool:
    affinity = spec.get("affinity") or {}
    terms: list[Json] = []
    for key in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(key) or {}
        terms += rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        terms += [weighted.get("podAffinityTerm") or {} for weighted in preferred]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


def _service_usage(spec: Json) -> Amounts:
    ports, kind = len(spec.get("ports") or []), spec.get("type")
    node_ports = ports if kind == "NodePort" else 0
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False:
        node_ports = ports
    return {
        "services.nodeports": node_ports * NANO,
        "services.loadbalancers": NANO if kind == "LoadBalancer" else 0,
    }


def _unmet(kind: Kind, quota: Json, obj: Json) -> str:
    name, status = quota["metadata"]["name"], quota.get("status") or {}
    counted = _counted(kind.resource, status.get("hard") or {})
    missing = _not_set(counted, obj["spec"]) if kind.resource == "pods" else {}
    if missing:
        said = "; ".join(f"{resource} for: {','.join(names)}" for resource, names in sorted(missing.items()))
        return f"failed quota: {name}: must specify {said}"
    if any(resource not in (status.get("used") or {}) for resource in counted):
        return f"status unknown for quota: {name}, resources: {','.join(sorted(counted))}"
    return ""


def _not_set(counted: list[str], spec: Json) -> dict[str, list[str]]:
    """For each bounded resource that every container must set, those that do not."""
    if has_pod_level_resources(spec):
        return {}
    found: dict[str, list[str]] = {}
    for resource in (name for name in counted if name in _MUST_BE_SET):
        kind, _, bare = resource.rpartition(".")
        held = kind or "requests"
        lacking = {
            container.get("name") or ""
            for container in containers_of(spec)
            if bare not in ((container.get("resources") or {}).get(held) or {})
        }
        if lacking:
            found[resource] = sorted(lacking)
    return found


def _exceeded(store: Store, kind: Kind, quota: Json, obj: Json, asked: Amounts) -> Iterator[str]:
    hard = {name: nano_of(amount) for name, amount in quota["status"]["hard"].items()}
    wanted = {name: nano for name, nano in asked.items() if nano and name in hard}
    if not wanted:
        return
    used = _used(store, kind, quota, wanted)
    over = sorted(name for name, nano in wanted.items() if used[name] + nano > hard[name])
    if over:
        form = {name: _form(quota, obj, name) for name in over}
        requested = _listed(over, wanted, form)
        limited = ",".join(f"{name}={quota['status']['hard'][name]}" for name in over)
        yield (
            f"exceeded quota: {quota['metadata']['name']}, requested: {requested}, "
            f"used: {_listed(over, used, form)}, limited: {limited}"
        )


def _used(store: Store, kind: Kind, quota: Json, wanted: Amounts) -> Amounts:
    used = dict.fromkeys(wanted, 0)
    for other in store.list(kind.resource, quota["metadata"]["namespace"]):
        if applies(kind, quota, other):
            for name, nano in usage_of(kind.resource, other).items():
                if name in used:
                    used[name] += nano
    return used


def _listed(names: list[str], amounts: Amounts, form: dict[str, Any]) -> str:
    return ",".join(f"{name}={Quantity(amounts[name], form[name])}" for name in names)


def _form(quota: Json, obj: Json, name: str) -> Any:
    """How Go would write an amount: as the first container that asks for it does, else as the quota."""
    kind, _, bare = name.partition(".")
    held, bare = (kind, bare) if kind in ("requests", "limits") else ("requests", name)
    for container in containers_of(obj.get("spec") or {}):
        amount = ((container.get("resources") or {}).get(held) or {}).get(bare)
        if amount is not None and nano_of(amount):
            return parse_quantity(amount).format
    return parse_quantity(quota["status"]["hard"][name]).format
