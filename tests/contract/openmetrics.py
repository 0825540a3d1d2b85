"""Tracks of the sandbox's containers as text in OpenMetrics format, with the labels of kube-prometheus-stack.

What cAdvisor, kube-state-metrics, vLLM and DCGM's exporter expose of them, as far as mlscale reads it; and what it must
not read: the CPU of the pod's cgroup, which has no label container. The kubelet and servers are scraped each 30 s as
kube-prometheus does, kube-state-metrics each minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlscale.sandbox.history_record import Owner
    from mlscale.sandbox.history_tracks import FloatArray, Track

Labels = dict[str, str]

_STATE_EVERY = 2
"""Samples of a track, which are 30 s apart, to one scrape of kube-state-metrics."""
_BUCKETS = (0.8, 2.5, 10.0, 60.0, np.inf)
"""Upper bounds, in seconds: some of those of vLLM (vllm/v1/metrics/loggers.py)."""
_CADVISOR: Labels = {"job": "kubelet", "metrics_path": "/metrics/cadvisor"}
_STATE: Labels = {"job": "kube-state-metrics"}
_GPU_EXPORTER: Labels = {"job": "dcgm-exporter", "namespace": "gpu-operator", "pod": "dcgm-exporter-x2v9c", "gpu": "0"}


def exposition(tracks: Sequence[Track], replicaset_owners: Mapping[str, Owner]) -> str:
    """The text of all `tracks`, which are of one namespace; `replicaset_owners` are by the ReplicaSet's name."""
    series = [line for track in tracks for line in _track_series(track)]
    series += [
        line for track in _newest_of_replicasets(tracks) for line in _replicaset_series(track, replicaset_owners)
    ]
    return "".join([*series, "# EOF\n"])


def _track_series(track: Track) -> Iterator[str]:
    scrapes = _Scrapes(track)
    yield from _kubelet_series(scrapes)
    yield from _state_series(_Scrapes(track, _STATE_EVERY))
    if track.scraped.serves:
        yield from _server_series(scrapes)


class _Scrapes:
    """Each so many samples of a track, as lines."""

    def __init__(self, track: Track, every: int = 1) -> None:
        self.scraped = track.scraped
        self._columns = {name: values[::every] for name, values in track.columns.items()}
        self._times = [f" {moment:.3f}\n" for moment in self._columns["times"].tolist()]
        self.pod: Labels = {"namespace": track.scraped.namespace, "pod": track.scraped.pod}
        self.container: Labels = {**self.pod, "container": track.scraped.container}

    def column(self, name: str) -> FloatArray:
        return self._columns[name]

    def series(self, name: str, labels: Labels, values: FloatArray | float) -> str:
        """One series; none of its samples where its value is NaN."""
        listed = ",".join(f'{label}="{value}"' for label, value in labels.items())
        head = f"{name}{{{listed}}} "
        whole = np.broadcast_to(np.asarray(values, dtype=np.float64), len(self._times)).tolist()
        return "".join(
            [f"{head}{value!r}{when}" for value, when in zip(whole, self._times, strict=True) if value == value]
        )


def _kubelet_series(scrapes: _Scrapes) -> Iterator[str]:
    node = {"node": scrapes.scraped.node, **_CADVISOR}
    labels = {**scrapes.container, **node}
    for own in (scrapes.container, scrapes.pod):
        about = {**own, **node, "cpu": "total"}
        yield scrapes.series("container_cpu_usage_seconds_total", about, scrapes.column("cpu_seconds"))
    yield scrapes.series("container_memory_working_set_bytes", labels, scrapes.column("memory"))
    if scrapes.scraped.cpu_limit is not None:
        throttled = scrapes.column("throttled_periods")
        yield scrapes.series("container_cpu_cfs_periods_total", labels, scrapes.column("periods"))
        yield scrapes.series("container_cpu_cfs_throttled_periods_total", labels, throttled)


def _state_series(scrapes: _Scrapes) -> Iterator[str]:
    scraped, labels = scrapes.scraped, {**scrapes.container, **_STATE}
    kind, owner = scraped.owner
    if scraped.serves:
        owned = {"owner_kind": kind or "<none>", "owner_name": owner or "<none>", "owner_is_controller": "true"}
        yield scrapes.series("kube_pod_owner", {**scrapes.pod, **owned, **_STATE}, 1.0)
    for resource, request in (("cpu", scraped.cpu_request), ("memory", scraped.memory_request)):
        if request is not None:
            about = {**labels, "node": scraped.node, "resource": resource}
            yield scrapes.series("kube_pod_container_resource_requests", about, request)
    yield scrapes.series("kube_pod_container_status_restarts_total", labels, scrapes.column("restarts"))
    killed = np.where(scrapes.column("oom_killed") > 0, 1.0, np.nan)
    yield scrapes.series("kube_pod_container_status_last_terminated_reason", {**labels, "reason": "OOMKilled"}, killed)


def _server_series(scrapes: _Scrapes) -> Iterator[str]:
    served = {**scrapes.pod, "job": "model-servers", "model_name": "model"}
    yield scrapes.series("vllm:num_requests_running", served, scrapes.column("running"))
    yield scrapes.series("vllm:num_requests_waiting", served, scrapes.column("waiting"))
    yield scrapes.series(
        "vllm:request_success_total", {**served, "finished_reason": "stop"}, scrapes.column("requests")
    )
    for bound, counted in zip(_BUCKETS, _latency_buckets(scrapes), strict=True):
        text = "+Inf" if bound == np.inf else repr(bound)
        yield scrapes.series("vllm:e2e_request_latency_seconds_bucket", {**served, "le": text}, counted)
    if scrapes.scraped.gpus:
        yield scrapes.series("vllm:kv_cache_usage_perc", served, scrapes.column("cache"))
        exported = {f"exported_{label}": value for label, value in scrapes.pod.items()}
        yield scrapes.series("DCGM_FI_DEV_GPU_UTIL", {**_GPU_EXPORTER, **exported}, 100 * scrapes.column("gpu"))


def _latency_buckets(scrapes: _Scrapes) -> Iterator[FloatArray]:
    """How many requests took at most so long: all those between two scrapes took as long as their mean."""
    requests = np.diff(scrapes.column("requests"), prepend=0.0)
    seconds = np.diff(scrapes.column("latency_seconds"), prepend=0.0)
    means = np.divide(seconds, requests, out=np.zeros_like(seconds), where=requests > 0)
    for bound in _BUCKETS:
        yield np.cumsum(np.where(means <= bound, requests, 0.0))


def _newest_of_replicasets(tracks: Sequence[Track]) -> list[Track]:
    """The longest track of each ReplicaSet, which stands for when that was there."""
    longest: dict[Owner, Track] = {}
    for track in tracks:
        known = longest.get(track.scraped.owner)
        if known is None or track.times.size > known.times.size:
            longest[track.scraped.owner] = track
    return [track for (kind, _), track in longest.items() if kind == "ReplicaSet"]


def _replicaset_series(track: Track, owners: Mapping[str, Owner]) -> Iterator[str]:
    name = track.scraped.owner[1]
    if name in owners:
        kind, owner = owners[name]
        labels = {"namespace": track.scraped.namespace, "replicaset": name, "owner_kind": kind, "owner_name": owner}
        yield _Scrapes(track, _STATE_EVERY).series("kube_replicaset_owner", {**labels, **_STATE}, 1.0)
