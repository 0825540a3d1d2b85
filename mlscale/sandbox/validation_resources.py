"""What is wrong with resource names and amounts: of containers, pods, quotas and limit ranges.

The rules are those of pkg/apis/core/validation/validation.go and pkg/apis/core/helper/helpers.go, v1.37.2.
Where Go walks a map in random order, this goes by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import NANO, InvalidQuantityError, nano_of
from mlscale.sandbox import formats
from mlscale.sandbox.causes import (
    NOT_NEGATIVE,
    each_invalid,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_COUNTED = (
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
)  # fmt: skip
_ASKED = frozenset(f"{kind}.{name}" for kind in ("requests", "limits") for name in _COMPUTE)
QUOTA_NAMES = _ASKED | {*_COMPUTE, *_COUNTED, "requests.storage"}
"""Names without a domain that a ResourceQuota may bound."""
_STANDARD = QUOTA_NAMES | {"storage"}
_NOT_STANDARD = "must be a standard resource type or fully qualified"


def container_resource_name_causes(path: str, name: str) -> Iterator[Cause]:
    """A name that a container may request: cpu, memory, ephemeral-storage, hugepages-… or ``domain/device``."""
    found = list(resource_name_causes(path, name))
    yield from found
    if "/" not in name:
        if name not in _COMPUTE and not name.startswith("hugepages-"):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def quota_resource_name_causes(path: str, name: str) -> Iterator[Cause]:
    """A name that a quota may bound."""
    yield from resource_name_causes(path, name)
    if "/" not in name and name not in QUOTA_NAMES and not _is_quota_huge_pages(name):
        yield invalid(path, name, "must be a standard resource for quota")


def resource_name_causes(path: str, name: str) -> Iterator[Cause]:
    """A qualified name; without a domain a known one."""
    errors = formats.label_key(name)
    yield from each_invalid(path, name, errors)
    if not errors and "/" not in name and name not in _STANDARD and not _is_quota_huge_pages(name):
        yield invalid(path, name, _NOT_STANDARD)


def amount_causes(path: str, name: str, amount: str) -> Iterator[Cause]:
    """An amount of ``name``: not negative, whole where things are counted."""
    yield from negative_quantity_causes(path, amount)
    if (name in _COUNTED or is_extended(name)) and nano_of(amount) % NANO:
        yield invalid(path, amount, "must be an integer")


def negative_quantity_causes(path: str, amount: str) -> Iterator[Cause]:
    """An amount of at least 0."""
    if nano_of(amount) < 0:
        yield invalid(path, amount, NOT_NEGATIVE)


def container_resource_causes(path: str, resources: Json, claims: list[str]) -> Iterator[Cause]:
    """``resources`` of a container; ``claims`` are the resource claims of its pod."""
    yield from _requirement_causes(path, resources, container_resource_name_causes, claims)


def pod_resource_causes(path: str, resources: Json, claims: list[str]) -> Iterator[Cause]:
    """``resources`` of a pod as a whole."""
    yield from _requirement_causes(path, resources, _pod_resource_name, claims)


def is_native(name: str) -> bool:
    """Whether the name belongs to Kubernetes itself."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether it is a device such as ``nvidia.com/gpu``."""
    return not is_native(name) and not name.startswith("requests.") and not formats.label_key(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    """Whether a limit may lie over the request."""
    return is_native(name) and not name.startswith("hugepages-")


def _is_quota_huge_pages(name: str) -> bool:
    return name.startswith(("hugepages-", "requests.hugepages-"))


def _pod_resource_name(path: str, name: str) -> Iterator[Cause]:
    found = list(resource_name_causes(path, name))
    yield from found
    if not found and name not in ("cpu", "memory") and not name.startswith("hugepages-"):
        yield not_supported(path, name, ("cpu", "hugepages-", "memory"))


def _requirement_causes(
    path: str, resources: Json, name_causes: Callable[[str, str], Iterator[Cause]], claims: list[str]
) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in sorted(limits.items()):
        yield from name_causes(f"{path}.limits[{name}]", name)
        yield from amount_causes(f"{path}.limits[{name}]", name, amount)
        yield from _page_causes(f"{path}.limits[{name}]", name, amount)
    for name, amount in sorted(requests.items()):
        yield from name_causes(f"{path}.requests[{name}]", name)
        yield from amount_causes(f"{path}.requests[{name}]", name, amount)
        yield from _against_limit(path, name, amount, limits.get(name))
        yield from _page_causes(f"{path}.requests[{name}]", name, amount)
    named = {*limits, *requests}
    if any(name.startswith("hugepages-") for name in named) and not named & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _claim_causes(f"{path}.claims", resources.get("claims") or [], claims)


def _against_limit(path: str, name: str, request: str, limit: str | None) -> Iterator[Cause]:
    if limit is None:
        if not may_overcommit(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    elif nano_of(request) != nano_of(limit) and not may_overcommit(name):
        yield invalid(f"{path}.requests", request, f"must be equal to {name} limit of {limit}")
    elif nano_of(request) > nano_of(limit):
        yield invalid(f"{path}.requests", request, f"must be less than or equal to {name} limit of {limit}")


def _page_causes(path: str, name: str, amount: str) -> Iterator[Cause]:
    if not name.startswith("hugepages-"):
        return
    try:
        page = nano_of(name.removeprefix("hugepages-"))
    except InvalidQuantityError:
        page = 0
    if page <= 0 or page % NANO or nano_of(amount) % page:
        yield invalid(path, amount, f"{amount} is not positive integer multiple of {name}")


def _claim_causes(path: str, claims: list[Json], known: list[str]) -> Iterator[Cause]:
    for index, claim in enumerate(claims):
        name = claim.get("name") or ""
        if not name:
            yield required(f"{path}[{index}]")
        elif name not in known:
            words = f": {', '.join(sorted(known))}" if known else " which is empty"
            yield not_found(f"{path}[{index}]", name, f"must be one of the names in pod.spec.resourceClaims{words}")
