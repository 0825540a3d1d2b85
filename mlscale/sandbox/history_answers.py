"""The series that each of mlscale's queries yields over the tracks of one namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_functions import LOOKBACK, counted, instant, max_over_time, rate, rise
from mlscale.sandbox.history_looks import sights_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlscale.sandbox.history_record import Owner
    from mlscale.sandbox.history_tracks import FloatArray, Track

Labels = dict[str, str]
Parameters = Mapping[str, str]

HALF_AN_HOUR = 1800.0

_GAUGES = {
    "vllm:num_requests_running": ("running", 1.0),
    "vllm:num_requests_waiting": ("waiting", 1.0),
}
_GPU_GAUGES = {
    "vllm:kv_cache_usage_perc": ("cache", 1.0),
    # In per cent.
    "DCGM_FI_DEV_GPU_UTIL": ("gpu", 100.0),
}
_SUCCESSES, _LATENCY = "vllm:request_success_total", "vllm:e2e_request_latency_seconds_bucket"


@dataclass(frozen=True)
class Found:
    """One series of an answer."""

    labels: Labels
    first: int
    """Which of the times that were asked for the first value is at."""
    values: FloatArray
    """One after the other; NaN where there is none."""


@dataclass(frozen=True)
class Question:
    """One query at ``times``."""

    parameters: Parameters
    times: FloatArray
    newest: float
    """When the last scrape was, in seconds since the epoch."""
    replicaset_owners: Mapping[str, Owner]
    """Of the namespace, by name."""

    def seconds(self, name: str) -> float:
        """A parameter that is a duration in whole seconds."""
        return float(self.parameters[name].removesuffix("s"))


class Asked:
    """The looks back over ``length`` seconds that a question takes at ``tracks``. Values are one for each look."""

    def __init__(self, question: Question, tracks: Sequence[Track], length: float) -> None:
        self._question = question
        self._tracks = tracks
        self._sights = sights_of([track.times for track in tracks], question.times, length)
        self.looks = self._sights.looks

    def column(self, name: str) -> FloatArray:
        """Of all samples of all tracks."""
        return np.concatenate([np.zeros(0), *(track.columns[name] for track in self._tracks)])

    def rate(self, name: str) -> FloatArray:
        """Of a counter."""
        return rate(self.looks, self.column(name))

    def ratio(self, over: str, under: str) -> FloatArray:
        """The rate of one counter by that of another."""
        values, by = self.rate(over), self.rate(under)
        return np.divide(values, by, out=np.full_like(values, np.nan), where=by > 0)

    def instant(self, name: str) -> FloatArray:
        """The value of a column at each time."""
        return instant(self.looks, self.column(name), self._question.newest)

    def existed(self) -> FloatArray:
        """1 where the range reaches into the time between a track's first sample and its last."""
        own, times = self._sights, self.looks.times
        there = (times >= own.born[own.track]) & (times - self.looks.length < own.died[own.track])
        return np.where(there, 1.0, np.nan)

    def of_tracks(self, amounts: Iterable[float]) -> FloatArray:
        """One amount for each track, at each look at it."""
        return np.array(list(amounts), dtype=np.float64)[self._sights.track]

    def each(self, values: FloatArray, labels: Callable[[Track], Labels]) -> Iterator[Found]:
        """A series for each track that has a value."""
        bounds = self._sights.bounds
        known = np.concatenate([[0], np.cumsum(np.isfinite(values))])[bounds]
        for index in np.flatnonzero(known[1:] > known[:-1]).tolist():
            first, end = int(bounds[index]), int(bounds[index + 1])
            yield Found(labels(self._tracks[index]), int(self._sights.time[first]), values[first:end])

    def together(self, values: FloatArray, labels: Labels, merge: np.ufunc) -> Iterator[Found]:
        """One series, made by ``merge`` of what the tracks have at each time."""
        known = np.isfinite(values)
        if known.any():
            times, size = self._sights.time[known], self._question.times.size
            whole = np.zeros(size) if merge is np.add else np.full(size, -np.inf)
            merge.at(whole, times, values[known])
            there = np.bincount(times, minlength=size) > 0
            yield Found(labels, 0, np.where(there, whole, np.nan))


def answer(name: str, question: Question, tracks: Sequence[Track]) -> list[Found]:
    """What ``QUERIES[name]`` yields over ``tracks``, which are those of its namespace."""
    return list(_ANSWERS[name](question, tracks))


def _time(question: Question, _: Sequence[Track]) -> Iterator[Found]:
    yield Found({}, 0, question.times)


def _scrapes(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, HALF_AN_HOUR)
    return asked.together(counted(asked.looks), {}, np.maximum)


def _containers(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, LOOKBACK)
    return asked.together(1.0 + 0.0 * asked.instant("cpu_seconds"), {}, np.add)


def _replicaset_owners(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    for (kind, name), mine in _by(tracks, lambda track: track.scraped.owner):
        if kind == "ReplicaSet" and name in question.replicaset_owners:
            owner_kind, owner = question.replicaset_owners[name]
            labels = {"replicaset": name, "owner_kind": owner_kind, "owner_name": owner}
            asked = Asked(question, mine, question.seconds("range"))
            yield from asked.together(asked.existed(), labels, np.maximum)


def _pod_owners(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, [track for track in tracks if track.scraped.serves], question.seconds("range"))

    def labels(track: Track) -> Labels:
        kind, owner = track.scraped.owner
        # As kube-state-metrics says of a pod that nobody owns.
        return {"pod": track.scraped.pod, "owner_kind": kind or "<none>", "owner_name": owner or "<none>"}

    return asked.each(asked.existed(), labels)


def _cpu(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, question.seconds("window"))
    return asked.each(asked.rate("cpu_seconds"), lambda track: {"cpu": "total", **_cadvisor(track)})


def _memory(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, question.seconds("step"))
    return asked.each(max_over_time(asked.looks, asked.column("memory")), _cadvisor)


def _requests(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, question.seconds("step"))
    requested = {
        "cpu": [track.scraped.cpu_request for track in tracks],
        "memory": [track.scraped.memory_request for track in tracks],
    }
    there = asked.existed()
    for resource, amounts in requested.items():
        values = asked.of_tracks(np.nan if amount is None else amount for amount in amounts) * there
        yield from asked.each(values, partial(_requested, resource))


def _requested(resource: str, track: Track) -> Labels:
    return {**_container(track), "resource": resource}


def _throttled(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """cAdvisor counts periods only of containers that have a CPU limit."""
    limited = [track for track in tracks if track.scraped.cpu_limit is not None]
    asked = Asked(question, limited, question.seconds("step"))
    return asked.each(asked.ratio("throttled_periods", "periods"), _container)


def _restarts(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, question.seconds("range"))
    return asked.each(rise(asked.looks, asked.column("restarts")), _container)


def _oom_kills(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    asked = Asked(question, tracks, question.seconds("range"))
    killed = max_over_time(asked.looks, asked.column("oom_killed"))
    return asked.each(np.where(killed > 0, 1.0, np.nan), _container)


def _signals(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    for name in question.parameters["names"].split("|"):
        if having := _having(tracks, name):
            asked = Asked(question, having, question.seconds("range"))
            yield from asked.together(asked.existed(), {"__name__": name}, np.add)


def _signal_gauge(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """Each pod has one series of a gauge, so that every aggregation by pod gives that."""
    name = question.parameters["metric"]
    if gauge := (_GAUGES | _GPU_GAUGES).get(name):
        column, factor = gauge
        asked = Asked(question, _having(tracks, name), LOOKBACK)
        yield from asked.each(factor * asked.instant(column), _pod)


def _signal_rate(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    if question.parameters["metric"] == _SUCCESSES:
        asked = Asked(question, _having(tracks, _SUCCESSES), question.seconds("window"))
        yield from asked.each(asked.rate("requests"), _pod)


def _signal_p95(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """All requests of one moment take equally long here, so their mean is as good as any quantile."""
    if question.parameters["metric"] == _LATENCY:
        asked = Asked(question, _having(tracks, _LATENCY), question.seconds("window"))
        yield from asked.each(asked.ratio("latency_seconds", "requests"), _pod)


def _nothing(_question: Question, _tracks: Sequence[Track]) -> Iterator[Found]:
    """What no exporter of the sandbox has."""
    return iter(())


_ANSWERS: Mapping[str, Callable[[Question, Sequence[Track]], Iterator[Found]]] = {
    "time": _time,
    "scrapes": _scrapes,
    "containers": _containers,
    "replicaset_owners": _replicaset_owners,
    "pod_owners": _pod_owners,
    "cpu": _cpu,
    "memory": _memory,
    "requests": _requests,
    "throttled": _throttled,
    "restarts": _restarts,
    "oom_kills": _oom_kills,
    "signals": _signals,
    "signals_exported": _nothing,
    "signal_gauge": _signal_gauge,
    "signal_gauge_exported": _nothing,
    "signal_rate": _signal_rate,
    "signal_p95": _signal_p95,
    "signal_mean": _nothing,
}


def _having(tracks: Iterable[Track], metric: str) -> list[Track]:
    """The tracks of pods that expose ``metric``; those of GPUs and of a cache in them only where there are GPUs."""
    if metric in _GPU_GAUGES:
        return [track for track in tracks if track.scraped.serves and track.scraped.gpus]
    exposed = metric in (*_GAUGES, _SUCCESSES, _LATENCY)
    return [track for track in tracks if track.scraped.serves] if exposed else []


def _cadvisor(track: Track) -> Labels:
    """The labels of a series that the kubelet's cAdvisor exposes."""
    scraped = track.scraped
    where = {"namespace": scraped.namespace, "node": scraped.node}
    return {**_container(track), **where, "job": "kubelet", "metrics_path": "/metrics/cadvisor"}


def _container(track: Track) -> Labels:
    return {"container": track.scraped.container, "pod": track.scraped.pod}


def _pod(track: Track) -> Labels:
    return {"pod": track.scraped.pod}


def _by(tracks: Iterable[Track], key: Callable[[Track], Owner]) -> Iterator[tuple[Owner, list[Track]]]:
    groups: dict[Owner, list[Track]] = {}
    for track in tracks:
        groups.setdefault(key(track), []).append(track)
    yield from groups.items()
