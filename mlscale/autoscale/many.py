"""Many targets of one kind and namespace: a few lists in place of four requests for each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.autoscale.facts import PODMETRICS, SAMPLE, TargetFacts, wants_pods, with_pods
from mlscale.errors import MlscaleError
from mlscale.kube.asks import ask_page
from mlscale.kube.kinds import DEPLOYMENT, POD, REPLICASET, STATEFULSET, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlscale.autoscale.facts import NamespaceFacts
    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.client import Client
    from mlscale.kube.targets import Found, Target

Json = dict[str, Any]
Labels = dict[str, str]

KINDS = (DEPLOYMENT, STATEFULSET, REPLICASET)
"""Those whose scale is no more than spec.replicas and spec.selector."""


def read_many(
    client: Client,
    found: Sequence[Found],
    namespaces: Mapping[str, NamespaceFacts | MlscaleError],
    settings: HpaSettings,
    many: int,
) -> dict[Target, TargetFacts]:
    """The facts of the targets that lists show whole, where at least ``many`` are of one kind and namespace.

    The others are to be read by themselves.
    """
    groups: dict[tuple[str, Kind], list[Target]] = {}
    for one in found:
        if one.target.kind in KINDS:
            groups.setdefault((one.target.namespace, one.target.kind), []).append(one.target)
    calls = []
    for (namespace, _), targets in groups.items():
        shared = namespaces[namespace]
        if len(targets) >= many and not isinstance(shared, MlscaleError):
            calls.append(partial(_read_group, client, targets, shared, settings))
    known: dict[Target, TargetFacts] = {}
    for read in client.together(*calls):
        known |= {} if isinstance(read, MlscaleError) else read
    return known


def _read_group(
    client: Client, targets: Sequence[Target], shared: NamespaceFacts, settings: HpaSettings
) -> dict[Target, TargetFacts]:
    namespace, kind = targets[0].namespace, targets[0].kind
    listed = {obj["metadata"]["name"]: obj for obj in _items(client, kind.path(namespace))}
    labels = {target: _match_labels(listed.get(target.name, {})) for target in targets}
    known = {target: wanted for target, wanted in labels.items() if wanted}
    pods: dict[Target, list[Json]] = {}
    metrics: dict[Target, list[Json]] = {}
    if wants_pods(settings):
        both = [(POD, SAMPLE), (PODMETRICS, None)]
        reads = [partial(_of_each, client, what.path(namespace), known, most) for what, most in both]
        pods, metrics = (({} if isinstance(r, MlscaleError) else r) for r in client.together(*reads))
    return {
        target: with_pods(
            TargetFacts(target, listed[target.name], shared, _scale(listed[target.name], wanted)),
            [{"items": pods.get(target)}, {"items": metrics.get(target)}],
            client.now(),
        )
        for target, wanted in known.items()
    }


def _items(client: Client, path: str) -> Iterator[Json]:
    """The items of a list, a page in memory at a time."""
    page = client.ask(ask_page(path))
    yield from page.get("items") or []
    while token := (page.get("metadata") or {}).get("continue"):
        page = client.ask(ask_page(path, **{"continue": token}))
        yield from page.get("items") or []


def _match_labels(workload: Json) -> Labels | None:
    """The labels of a workload's pods; None where its selector says more than labels, or there is none."""
    selector = (workload.get("spec") or {}).get("selector") or {}
    return None if selector.get("matchExpressions") else selector.get("matchLabels")


def _scale(workload: Json, labels: Labels) -> Json:
    """The Scale that the server makes of ``workload``."""
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    replicas = (workload.get("spec") or {}).get("replicas", 1)
    return {"spec": {"replicas": replicas}, "status": {"selector": selector}}


def _of_each(client: Client, path: str, labels: Mapping[Target, Labels], most: int | None) -> dict[Target, list[Json]]:
    """The objects of a list by the target whose ``labels`` they have, ``most`` of each kept."""
    by_label: dict[tuple[str, str], list[Target]] = {}
    for target, wanted in labels.items():
        by_label.setdefault(next(iter(wanted.items())), []).append(target)
    chosen: dict[Target, list[Json]] = {}
    for obj in _items(client, path):
        own = (obj.get("metadata") or {}).get("labels") or {}
        for target in [target for pair in own.items() for target in by_label.get(pair, ())]:
            kept = chosen.setdefault(target, [])
            if labels[target].items() <= own.items() and len(kept) != most:
                kept.append(obj)
    return chosen
