"""The series that each of mlscale's queries yields over the tracks of one namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_functions import LOOKBACK, counted, existed, instant, max_over_time, rate, rise

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

    def near(self, track: Track, length: float) -> slice:
        """Those of the times from which a look back over ``length`` seconds may see a sample of ``track``."""
        ends = np.searchsorted(self.times, [track.times[0], track.times[-1] + length])
        return slice(int(ends[0]), int(ends[1]))

    def at(self, track: Track, column: str) -> tuple[slice, FloatArray]:
        """A column at each time, and which times those are."""
        part = self.near(track, LOOKBACK)
        return part, instant(track.times, track.columns[column], self.times[part], self.newest)

    def rate(self, track: Track, column: str, length: float) -> tuple[slice, FloatArray]:
        """The rate of a counter, likewise."""
        part = self.near(track, length)
        return part, rate(track.times, track.columns[column], self.times[part], length)

    def existed(self, track: Track, length: float) -> tuple[slice, FloatArray]:
        """1 where ``track`` was there at some time of the range, likewise."""
        part = self.near(track, length)
        return part, np.where(existed(track.times, self.times[part], length), 1.0, np.nan)

    def whole(self, parts: Iterable[tuple[slice, FloatArray]], merge: np.ufunc) -> FloatArray:
        """One value for each time, made by ``merge`` of those that there are."""
        values = np.full(self.times.size, np.nan)
        for part, own in parts:
            both = np.isfinite(own) & np.isfinite(values[part])
            values[part] = np.where(both, merge(values[part], own), np.fmax(values[part], own))
        return values


def answer(name: str, question: Question, tracks: Sequence[Track]) -> list[Found]:
    """What ``QUERIES[name]`` yields over ``tracks``, which are those of its namespace, sorted by labels."""
    found = _ANSWERS[name](question, tracks)
    kept = [series for series in found if np.isfinite(series.values).any()]
    return sorted(kept, key=lambda series: sorted(series.labels.items()))


def _time(question: Question, _: Sequence[Track]) -> Iterator[Found]:
    yield Found({}, 0, question.times)


def _scrapes(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    parts = ((question.near(track, HALF_AN_HOUR), track) for track in tracks)
    counts = ((part, counted(track.times, question.times[part], HALF_AN_HOUR)) for part, track in parts)
    yield Found({}, 0, question.whole(counts, np.maximum))


def _containers(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    there = (question.at(track, "cpu_seconds") for track in tracks)
    yield Found({}, 0, question.whole(((part, 1.0 + 0.0 * values) for part, values in there), np.add))


def _replicaset_owners(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    for (kind, name), mine in _by(tracks, lambda track: track.scraped.owner):
        if kind == "ReplicaSet" and name in question.replicaset_owners:
            owner_kind, owner = question.replicaset_owners[name]
            labels = {"replicaset": name, "owner_kind": owner_kind, "owner_name": owner}
            yield Found(labels, 0, _there(question, mine))


def _pod_owners(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    length = question.seconds("range")
    for track in tracks:
        if track.scraped.serves:
            kind, owner = track.scraped.owner
            # As kube-state-metrics says of a pod that nobody owns.
            labels = {"pod": track.scraped.pod, "owner_kind": kind or "<none>", "owner_name": owner or "<none>"}
            yield _found(labels, question.existed(track, length))


def _cpu(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    window = question.seconds("window")
    for track in tracks:
        yield _found({"cpu": "total", **_cadvisor(track)}, question.rate(track, "cpu_seconds", window))


def _memory(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    step = question.seconds("step")
    for track in tracks:
        part = question.near(track, step)
        peaks = max_over_time(track.times, track.columns["memory"], question.times[part], step)
        yield Found(_cadvisor(track), part.start, peaks)


def _requests(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    for track in tracks:
        part, there = question.existed(track, question.seconds("step"))
        for resource, request in (("cpu", track.scraped.cpu_request), ("memory", track.scraped.memory_request)):
            if request is not None:
                yield Found({**_container(track), "resource": resource}, part.start, request * there)


def _throttled(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """cAdvisor counts periods only of containers that have a CPU limit."""
    for track in tracks:
        if track.scraped.cpu_limit is not None:
            yield _found(_container(track), _ratio(question, track, "throttled_periods", "periods", "step"))


def _restarts(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    length = question.seconds("range")
    for track in tracks:
        part = question.near(track, length)
        risen = rise(track.times, track.columns["restarts"], question.times[part], length)
        yield Found(_container(track), part.start, risen)


def _oom_kills(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    length = question.seconds("range")
    for track in tracks:
        part = question.near(track, length)
        killed = max_over_time(track.times, track.columns["oom_killed"], question.times[part], length)
        yield Found(_container(track), part.start, np.where(killed > 0, 1.0, np.nan))


def _signals(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    length = question.seconds("range")
    for name in question.parameters["names"].split("|"):
        there = (question.existed(track, length) for track in _having(tracks, name))
        yield Found({"__name__": name}, 0, question.whole(there, np.add))


def _signal_gauge(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """Each pod has one series of a gauge, so that every aggregation by pod gives that."""
    name = question.parameters["metric"]
    if gauge := (_GAUGES | _GPU_GAUGES).get(name):
        column, factor = gauge
        for track in _having(tracks, name):
            part, values = question.at(track, column)
            yield Found({"pod": track.scraped.pod}, part.start, factor * values)


def _signal_rate(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    name, window = question.parameters["metric"], question.seconds("window")
    for track in _having(tracks, name):
        if name == _SUCCESSES:
            yield _found({"pod": track.scraped.pod}, question.rate(track, "requests", window))


def _signal_p95(question: Question, tracks: Sequence[Track]) -> Iterator[Found]:
    """All requests of one moment take equally long here, so their mean is as good as any quantile."""
    name = question.parameters["metric"]
    for track in _having(tracks, name):
        if name == _LATENCY:
            means = _ratio(question, track, "latency_seconds", "requests", "window")
            yield _found({"pod": track.scraped.pod}, means)


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


def _there(question: Question, tracks: Iterable[Track]) -> FloatArray:
    """1 where any of ``tracks`` has been there within the range."""
    length = question.seconds("range")
    return question.whole((question.existed(track, length) for track in tracks), np.maximum)


def _ratio(question: Question, track: Track, over: str, under: str, window: str) -> tuple[slice, FloatArray]:
    """The rate of one counter by that of another, over the range that the parameter ``window`` says."""
    part, values = question.rate(track, over, question.seconds(window))
    _, by = question.rate(track, under, question.seconds(window))
    return part, np.divide(values, by, out=np.full_like(values, np.nan), where=by > 0)


def _found(labels: Labels, values: tuple[slice, FloatArray]) -> Found:
    return Found(labels, values[0].start, values[1])


def _cadvisor(track: Track) -> Labels:
    """The labels of a series that the kubelet's cAdvisor exposes."""
    scraped = track.scraped
    where = {"namespace": scraped.namespace, "node": scraped.node}
    return {**_container(track), **where, "job": "kubelet", "metrics_path": "/metrics/cadvisor"}


def _container(track: Track) -> Labels:
    return {"container": track.scraped.container, "pod": track.scraped.pod}


def _by(tracks: Iterable[Track], key: Callable[[Track], Owner]) -> Iterator[tuple[Owner, list[Track]]]:
    groups: dict[Owner, list[Track]] = {}
    for track in tracks:
        groups.setdefault(key(track), []).append(track)
    yield from groups.items()
