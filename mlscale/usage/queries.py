"""What a Prometheus is asked, as PromQL: of whole namespaces, so that workloads do not add to the number of queries.

Metrics of cAdvisor (``container_…``, docs/storage/prometheus.md of google/cadvisor) and of kube-state-metrics 2
(``kube_…``, its docs/metrics/workload), with the labels that kube-prometheus-stack gives them.
A container that two jobs scrape counts once: ``max by`` drops the labels that tell its series apart, or reading does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_POD = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", re.ASCII)
_SANDBOX = 'container!="POD"'
_CONTAINERS = f'namespace="$namespace",container!="",{_SANDBOX}'
"""Series of containers: those of the pod's cgroup and of its sandbox (POD) would count the same use twice."""
_OVER_ALL = re.compile(r"\A(max|count)\(")
"""An aggregation over all series of a namespace."""
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What means more than itself in an expression (google/re2, the wiki's Syntax; Go's regexp.QuoteMeta)."""


@dataclass(frozen=True)
class Query:
    """One text with ``$parameters``, and how it is asked."""

    text: str
    """About one namespace, whose matcher ``=`` costs a server less than one by an expression."""
    ranged: bool
    """Asked of ``/api/v1/query_range`` at a step; else of ``/api/v1/query`` once, at the end of the history."""

    @cached_property
    def of_several(self) -> str:
        """The same about several namespaces, each series with the label that tells which it is of."""
        label = "exported_namespace" if "exported_namespace" in self.text else "namespace"
        chosen = self.text.replace('namespace="$namespace"', 'namespace=~"$namespace"')
        return _OVER_ALL.sub(rf"\1 by ({label}) (", chosen.replace(" by (", f" by ({label}, "))


QUERIES: Mapping[str, Query] = {
    # The server's clock, asked without a time: also the first sign that it answers.
    "time": Query("time()", ranged=False),
    # Samples of the most often scraped container in 30 minutes: 60 at an interval of 30 s.
    "scrapes": Query(f"max(count_over_time(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[30m]))", ranged=False),
    # How many containers there are side by side.
    "containers": Query(
        f"count(max by (pod, container) (container_cpu_usage_seconds_total{{{_CONTAINERS}}}))", ranged=False
    ),
    # Who made whom. Over the whole range, since owners of pods that are gone count; the raw samples are not fetched.
    "replicaset_owners": Query(
        "max by (replicaset, owner_kind, owner_name) "
        '(last_over_time(kube_replicaset_owner{namespace="$namespace"}[$range]))',
        ranged=False,
    ),
    "pod_owners": Query(
        'max by (pod, owner_kind, owner_name) (last_over_time(kube_pod_owner{namespace="$namespace"}[$range]))',
        ranged=False,
    ),
    # Cores. Not "max by (pod, container)": it doubles the server's work, and what is read twice is merged on arrival.
    "cpu": Query(f"rate(container_cpu_usage_seconds_total{{{_CONTAINERS}}}[$window])", ranged=True),
    # Bytes; the peak of each step, so that a short one is not missed.
    "memory": Query(f"max_over_time(container_memory_working_set_bytes{{{_CONTAINERS}}}[$step])", ranged=True),
    # Cores and bytes that a pod asked for. A native sidecar is among the init containers.
    "requests": Query(
        'last_over_time({__name__=~"kube_pod_container_resource_requests|kube_pod_init_container_resource_requests",'
        'namespace="$namespace",resource=~"cpu|memory"}[$step])',
        ranged=True,
    ),
    # Share of the CFS periods in which a container ran out of quota, 0 to 1; NaN where it had none.
    "throttled": Query(
        f"max by (pod, container) (rate(container_cpu_cfs_throttled_periods_total{{{_CONTAINERS}}}[$step])) / "
        f"max by (pod, container) (rate(container_cpu_cfs_periods_total{{{_CONTAINERS}}}[$step]))",
        ranged=True,
    ),
    # Not increase(), which would extrapolate; restarts nearer to each other than two scrapes count as one.
    "restarts": Query(
        'max by (pod, container) (changes(kube_pod_container_status_restarts_total{namespace="$namespace"}[$range]))',
        ranged=False,
    ),
    # 1 for each container of a pod that was ever killed for its memory.
    "oom_kills": Query(
        "max by (pod, container) (max_over_time(kube_pod_container_status_last_terminated_reason"
        '{namespace="$namespace",reason="OOMKilled"}[$range]))',
        ranged=False,
    ),
    # Which metrics of model servers and GPUs there are; $names joins metric names by |.
    "signals": Query(
        'count by (__name__) (last_over_time({__name__=~"$names",namespace="$namespace"}[$range]))', ranged=False
    ),
    # A GPU exporter's own pod takes the labels namespace and pod where honor_labels is off (Prometheus, scrape_config).
    "signals_exported": Query(
        'count by (__name__) (last_over_time({__name__=~"$names",exported_namespace="$namespace"}[$range]))',
        ranged=False,
    ),
    "signal_gauge": Query('$aggregate by (pod) ($metric{namespace="$namespace"})', ranged=True),
    "signal_gauge_exported": Query(
        '$aggregate by (exported_pod) ($metric{exported_namespace="$namespace"})', ranged=True
    ),
    "signal_rate": Query('sum by (pod) (rate($metric{namespace="$namespace"}[$window]))', ranged=True),
    "signal_p95": Query(
        'histogram_quantile(0.95, sum by (pod, le) (rate($metric{namespace="$namespace"}[$window])))', ranged=True
    ),
    # The mean of a histogram, a summary, or of a counter of time over one of requests: $metric over $count.
    "signal_mean": Query(
        'sum by (pod) (rate($metric{namespace="$namespace"}[$window])) / '
        'sum by (pod) (rate($count{namespace="$namespace"}[$window]))',
        ranged=True,
    ),
}


def query_text(name: str, namespaces: Sequence[str] = (), **parameters: str) -> str:
    """The text of ``QUERIES[name]`` about ``namespaces``; raises KeyError where a parameter that it needs is missing.

    The names of the namespaces are quoted; the parameters come from this program.
    """
    query = QUERIES[name]
    if not namespaces:
        return Template(query.text).substitute(parameters)
    if len(namespaces) == 1:
        return Template(query.text).substitute(parameters, namespace=_quoted(namespaces[0]))
    chosen = "|".join(_SPECIAL.sub(r"\\\g<0>", each) for each in namespaces)
    return Template(query.of_several).substitute(parameters, namespace=_quoted(chosen))


def cpu_series(namespace: str) -> str:
    """The selector of the series that the query ``cpu`` reads."""
    return f"container_cpu_usage_seconds_total{{{Template(_CONTAINERS).substitute(namespace=_quoted(namespace))}}}"


def of_pods(text: str, pods: Iterable[str]) -> str:
    """The query ``text`` of containers, of ``pods`` alone.

    Raises ValueError for what cannot be a pod's name (kubernetes apimachinery pkg/util/validation, DNS-1123 subdomain).
    """
    names = list(pods)
    if not all(_POD.fullmatch(name) for name in names):
        raise ValueError(names)
    chosen = "|".join(name.replace(".", "[.]") for name in names)
    return text.replace(_SANDBOX, f'{_SANDBOX},pod=~"{chosen}"')


def duration(seconds: float) -> str:
    """``seconds`` as PromQL writes a duration, in whole seconds of at least one: ``240s``."""
    return f"{max(1, round(seconds))}s"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
