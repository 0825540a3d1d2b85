"""How each metric of a model server or GPU becomes a signal: which query reads it, its unit, how pods are made one.

Names from the documentation of each: vLLM (docs.vllm.ai, production metrics), Triton Inference Server
(docs/user_guide/metrics.md), TorchServe (docs/metrics.md), Ray Serve (docs.ray.io, serve monitoring), and NVIDIA's
DCGM exporter (etc/default-counters.csv). Where a metric was renamed, the newer name stands first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MICRO = 1e-6
_MEBI = 2.0**20


@dataclass(frozen=True)
class Signal:
    """One metric and the signal that it is."""

    metric: str
    name: str
    """Canonical, as in ``History.signals``."""
    query: str
    """Of QUERIES: signal_gauge, signal_rate, signal_p95 or signal_mean."""
    over_pods: str
    """How those of several pods make one: ``sum``, ``max`` or ``mean``."""
    within_pod: str = "sum"
    """How several series of a pod make one, such as those of its GPUs: a PromQL aggregation."""
    factor: float = 1.0
    """From the metric's unit to the signal's: seconds, bytes, shares of 1."""
    count: str = ""
    """What signal_mean divides by."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What its query needs beside what every query has."""
        return {"metric": self.metric, "aggregate": self.within_pod, "count": self.count}


def _total(metric: str, name: str) -> Signal:
    """A gauge that adds up, within a pod and over pods."""
    return Signal(metric, name, "signal_gauge", "sum")


def _share(metric: str, name: str, factor: float = 1.0) -> Signal:
    return Signal(metric, name, "signal_gauge", "mean", within_pod="avg", factor=factor)


def _p95(metric: str, name: str) -> Signal:
    # Of several pods the worst: the buckets of all of them are not at hand once each pod is one number.
    return Signal(metric, name, "signal_p95", "max")


def _rate(metric: str, name: str) -> Signal:
    return Signal(metric, name, "signal_rate", "sum")


def _mean(metric: str, count: str, name: str, factor: float = 1.0) -> Signal:
    return Signal(metric, name, "signal_mean", "max", factor=factor, count=count)


SIGNALS: tuple[Signal, ...] = (
    _total("vllm:num_requests_running", "running_requests"),
    _total("ray_serve_replica_processing_queries", "running_requests"),
    _total("vllm:num_requests_waiting", "queue_length"),
    _total("nv_inference_pending_request_count", "queue_length"),
    _total("ray_serve_deployment_queued_queries", "queue_length"),
    _share("vllm:kv_cache_usage_perc", "kv_cache_usage"),
    _share("vllm:gpu_cache_usage_perc", "kv_cache_usage"),
    _rate("vllm:num_preemptions_total", "preemption_rate"),
    _rate("vllm:request_success_total", "request_rate"),
    _rate("nv_inference_request_success", "request_rate"),
    _rate("ts_inference_requests_total", "request_rate"),
    _rate("ray_serve_deployment_request_counter", "request_rate"),
    _p95("vllm:e2e_request_latency_seconds_bucket", "latency_p95"),
    _p95("vllm:time_to_first_token_seconds_bucket", "first_token_latency_p95"),
    _p95("vllm:inter_token_latency_seconds_bucket", "token_latency_p95"),
    _p95("vllm:time_per_output_token_seconds_bucket", "token_latency_p95"),
    _p95("vllm:request_queue_time_seconds_bucket", "queue_time_p95"),
    _mean("nv_inference_queue_duration_us", "nv_inference_request_success", "queue_time", _MICRO),
    _mean("nv_inference_request_duration_us", "nv_inference_request_success", "latency_mean", _MICRO),
    _mean("ts_queue_latency_microseconds", "ts_inference_requests_total", "queue_time", _MICRO),
    _mean("ts_inference_latency_microseconds", "ts_inference_requests_total", "latency_mean", _MICRO),
    _share("DCGM_FI_DEV_GPU_UTIL", "gpu_utilization", 0.01),
    _share("nv_gpu_utilization", "gpu_utilization"),
    Signal("DCGM_FI_DEV_FB_USED", "gpu_memory_used", "signal_gauge", "max", within_pod="max", factor=_MEBI),
    Signal("nv_gpu_memory_used_bytes", "gpu_memory_used", "signal_gauge", "max", within_pod="max"),
)
