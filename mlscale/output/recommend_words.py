"""Names and numbers of a recommendation as people read them, alike in every output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.kube.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.recommend.model import Limit, LimitName, Method, Recommendation, Resize, RowName, ScoreRow, Size

LIMITS: Mapping[LimitName, str] = {
    "CpuVarying": "CPU, with a load that varies",
    "CpuSteady": "CPU, with a steady load",
    "CpuLimit": "a CPU limit that is too tight",
    "Memory": "memory of each copy",
    "Gpu": "GPU",
    "Downstream": "something outside: storage, network or another service",
    "Cluster": "the cluster itself",
    "Ceiling": "nothing left to add: no larger and no more copies",
    "Rival": "more than one owner of the replicas",
    "Idle": "nothing: it has more than it uses",
    "Nothing": "nothing",
}
METHODS: Mapping[Method, str] = {
    "none": "leave it",
    "horizontal": "scale out",
    "vertical": "resize",
    "autoscale": "autoscale",
    "autoscale-metric": "autoscale on another metric",
    "cheaper-model": "make the model cheaper",
    "cluster": "raise what the cluster allows",
}
ROWS: Mapping[RowName, str] = {"now": "now", "recommended": "recommended", "default": "API default"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def limit_words(limit: Limit) -> str:
    """``GPU nvidia.com/gpu (high confidence)``."""
    subject = f" ({limit.subject})" if limit.subject else ""
    return f"{LIMITS[limit.name]}{subject}, {limit.confidence} confidence"


def amount(value: float, *, signed: bool = False) -> str:
    """A quantity with a precision that its size deserves: ``0``, ``0.05``, ``3.4``, ``120``; ``+3.4`` if signed."""
    if value == 0:
        return "0"
    sign = "+" if signed else ""
    if abs(value) < 1:
        return f"{value:{sign}.2g}"
    return f"{value:{sign}.1f}" if abs(value) < 100 else f"{value:{sign}.0f}"


def share(value: float) -> str:
    """A share of 1 in per cent: ``0 %``, ``<0.01 %``, ``0.25 %``, ``12.3 %``; what is not 0 never reads as 0."""
    per_cent = abs(100 * value)
    if 0 < per_cent < 0.01:
        return "<0.01 %"
    return f"{per_cent:.2f} %" if 0 < per_cent < 1 else f"{per_cent:.1f} %" if per_cent else "0 %"


def span(seconds: float) -> str:
    """The two largest units: ``7 d``, ``2 d 6 h``, ``3 h 20 min``, ``45 s``."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    for unit, word, smaller, small_word in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min")):
        # 2 d 23 h 59 min are 3 d.
        whole, rest = divmod(round(seconds / smaller), unit // smaller)
        if whole:
            return f"{whole} {word}" + (f" {rest} {small_word}" if rest else "")
    return f"{round(seconds / _MINUTE)} min"


def resize_words(resize: Resize) -> str:
    """``container model: cpu 500m (limit 1), memory 256Mi (limit 512Mi) -> …``."""
    return f"container {resize.then.container}: {_size_words(resize.now)} -> {_size_words(resize.then)}"


def _size_words(size: Size) -> str:
    cpu = _amount_words("cpu", size.cpu_request, size.cpu_limit)
    return f"{cpu}, {_amount_words('memory', size.memory_request, size.memory_limit)}"


def _amount_words(resource: str, request: str | None, limit: str | None) -> str:
    return f"{resource} {request or 'unset'} ({f'limit {limit}' if limit else 'no limit'})"


def score_heads(rows: Sequence[ScoreRow]) -> list[str]:
    """The columns of the table of scores; GPU-hours only where some row has any."""
    gpu = ["GPU-HOURS"] if any(row.gpu_hours for row in rows) else []
    return ["POD-HOURS", "CORE-HOURS", *gpu, "UNMET DEMAND", "SATURATED", "CHANGES/DAY", "PEAK REPLICAS"]


def score_cells(row: ScoreRow, *, gpu: bool) -> list[str]:
    """The cells of one row below ``score_heads``."""
    return [
        amount(row.pod_hours),
        amount(row.core_hours),
        *([amount(row.gpu_hours)] if gpu else []),
        share(row.unmet),
        span(60 * row.saturated_minutes) if row.saturated_minutes else "0",
        amount(row.changes_per_day),
        str(row.peak_replicas),
    ]


def score_title(recommendation: Recommendation) -> str:
    """On which part of the history the settings were scored."""
    held_out = recommendation.held_out
    if held_out is None:
        return "What each setting comes to"
    return (
        f"What each setting comes to on the last {span(3600 * held_out.hours)}, which the search did not see"
        f" (history: {span(recommendation.history.span)})"
    )


def history_words(recommendation: Recommendation) -> str:
    """``Prometheus at https://…: 7 d in steps of 1 min, 2 gaps``."""
    history = recommendation.history
    gaps = f", {counted(history.gaps, 'gap')}" if history.gaps else ""
    return f"{history.source}: {span(history.span)} in steps of {span(history.step)}{gaps}"
