"""Whether the targets of an HPA can work at all: its thresholds in words, judged by arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlscale.frozen import frozen
from mlscale.hpa.behavior import never_scales, tolerance_of
from mlscale.hpa.metrics import source_of
from mlscale.hpa.reach import Reach, lowest_use_up, proposed_replicas, read_reach
from mlscale.hpa.requests import milli_limit, milli_request
from mlscale.hpa.samples import milli_use
from mlscale.kube.finding import Finding
from mlscale.kube.quantity import NANO, format_cpu, format_memory, parse_quantity

if TYPE_CHECKING:
    from mlscale.hpa.spec import HpaSettings
    from mlscale.hpa.tolerance import Tolerance

Json = dict[str, Any]
Unit = Literal["percent", "cpu", "memory", "count"]

_MILLI_MI = 1000 * 2**20
NOISE_PERCENT = 5
"""An idle process with its probes and timers uses up to about this share of its request."""
NEAR_LIMIT_PERCENT = 95
"""A threshold above this share of what limits allow is met by throttled pods only."""


@frozen
class Threshold:
    """One metric of an HPA, with what its target can do; uses are per cent, or milli-units of ``unit``."""

    label: str
    """``cpu``, ``memory``, ``cpu of container server``, ``pods metric requests``."""
    unit: Unit
    reach: Reach
    tolerance: Tolerance
    cap: int | None
    """The use that limits allow at most; None where a limit is missing."""
    present: int | None
    """The average use now, over ``pods`` pods; None where it is not known."""
    pods: int

    holds_memory: bool = False
    """Whether it measures memory, which a process seldom gives back when load falls."""

    @property
    def sentence(self) -> str:
        """``with cpu target 50 %, 3 -> 2 needs an average use of 33 % or less``."""
        down = self.reach.down
        if down is None:
            return f"with {self.label} target {self.shown(self.reach.target)}, min and max leave nothing to scale"
        step = f"with {self.label} target {self.shown(self.reach.target)}, {down.replicas} -> {down.to}"
        if down.use is None:
            return f"{step} needs less than no use at all"
        bound = "" if down.use == 0 else " or less"
        return f"{step} needs an average use of {self.shown(down.use)}{bound}"

    def shown(self, use: int) -> str:
        """``use`` for a person: ``33 %``, ``333m``, ``170Mi``."""
        if self.unit == "percent":
            return f"{use} %"
        nano = use * (NANO // 1000)
        if self.unit == "memory":
            return format_memory(nano)
        return format_cpu(nano)

    def shown_up(self, use: int) -> str:
        """As ``shown``, memory rounded up to whole Mi rather than down."""
        return self.shown(-(-use // _MILLI_MI) * _MILLI_MI) if self.unit == "memory" else self.shown(use)


def read_thresholds(settings: HpaSettings, spec: Json | None, pod_metrics: list[Json]) -> list[Threshold]:
    """The thresholds of the Resource, ContainerResource and Pods metrics of ``settings``.

    ``spec`` is the workload's pod spec as admission leaves it, None if it is not known; ``pod_metrics`` are
    the PodMetrics of its pods (metrics.k8s.io), as many as are known.
    """
    found = (_threshold(metric, settings, spec, pod_metrics) for metric in settings.effective_metrics)
    return [threshold for threshold in found if threshold is not None]


def judge_thresholds(settings: HpaSettings, thresholds: list[Threshold]) -> list[Finding]:
    """What is worth saying about the range and the thresholds."""
    low, high = max(settings.effective_min, 1), settings.max_replicas
    if settings.effective_min == high:
        return [Finding("warning", "MinEqualsMax", f"min and max are both {high}: this HPA pins the replicas")]
    findings = [finding for threshold in thresholds for finding in _judge(threshold)]
    for direction, what in (("scaleUp", f"never scale above {low}"), ("scaleDown", "never come back to min")):
        if never_scales(settings.behavior, direction):
            findings.append(Finding("warning", "DirectionDisabled", f"{direction} is disabled: these settings {what}"))
    return findings


def _judge(threshold: Threshold) -> list[Finding]:
    reach = threshold.reach
    if reach.down is None:
        return []
    judged = (_judge_down(threshold), _judge_up(threshold), _judge_noise(threshold))
    return [finding for finding in judged if finding is not None]


def _judge_down(threshold: Threshold) -> Finding:
    """A sentence with the last step down and the first step up, or why it never comes."""
    reach, sentence, present = threshold.reach, threshold.sentence, threshold.present
    if reach.down is None or reach.down.use is None or not reach.returns_to_min:
        return Finding("warning", "NeverReturnsToMin", f"{sentence}; these settings never come back to min")
    if threshold.holds_memory and present is not None and present > reach.down.use:
        now = f"at {threshold.shown(present)}, what the pods hold now and seldom give back"
        message = f"{sentence}; {now}, these settings never come back to min"
        return Finding("warning", "NeverReturnsToMin", message)
    if reach.up is not None and reach.up.use is not None:
        up = f"{reach.up.replicas} -> {reach.up.to} comes at {threshold.shown_up(reach.up.use)} or more"
        sentence = f"{sentence}, {up}"
    return Finding("note", "Thresholds", sentence)


def _judge_up(threshold: Threshold) -> Finding | None:
    if threshold.cap is None:
        return None
    reach, tolerance, cap = threshold.reach, threshold.tolerance, threshold.cap
    needed = lowest_use_up(reach.target, max(reach.min_replicas, 1), tolerance)
    start = f"the limits let the average use of {threshold.label} reach {threshold.shown(cap)} at most"
    if needed > cap:
        most = _highest_target(cap, tolerance)
        can = f"a target of {threshold.shown(most)} or less can" if most else "raise the limits"
        message = f"{start}, and scaling up takes {threshold.shown_up(needed)}: these settings never scale up; {can}"
        return Finding("warning", "NeverScalesUp", message)
    if needed * 100 > cap * NEAR_LIMIT_PERCENT:
        message = f"{start}, and scaling up takes {threshold.shown_up(needed)}: only throttled pods bring new ones"
        return Finding("warning", "TargetNearLimit", message)
    return None


def _judge_noise(threshold: Threshold) -> Finding | None:
    up = threshold.reach.up
    if threshold.unit != "percent" or up is None or up.use is None or up.use > NOISE_PERCENT:
        return None
    use = f"an average use of {up.use} % of the request"
    return Finding("warning", "TargetTooLow", f"{use} of {threshold.label} already adds replicas: idle noise scales")


def _highest_target(cap: int, tolerance: Tolerance) -> int:
    """The highest target that still scales up when the use can reach ``cap``; 0 if there is none."""
    target = int(cap / (1.0 + tolerance.up)) + 1
    while target > 0 and lowest_use_up(target, 1, tolerance) > cap:
        target -= 1
    return target


def _threshold(metric: Json, settings: HpaSettings, spec: Json | None, pod_metrics: list[Json]) -> Threshold | None:
    kind, source = metric["type"], source_of(metric)
    if kind not in ("Resource", "ContainerResource", "Pods"):
        return None
    target, tolerance = source["target"], tolerance_of(settings.behavior)
    percent = target.get("averageUtilization")
    goal = percent if percent is not None else parse_quantity(target["averageValue"]).milli_value
    cap, present = None, None
    if kind != "Pods" and spec is not None:
        cap = _cap(source, spec, percent is not None)
        present = present_use(source, spec, pod_metrics)
    return Threshold(
        label=_label(kind, source),
        unit="percent" if percent is not None else _UNITS.get(source.get("name", ""), "count"),
        reach=read_reach(goal, settings.effective_min, settings.max_replicas, tolerance, cap=cap),
        tolerance=tolerance,
        cap=cap,
        present=present,
        pods=len(pod_metrics),
        holds_memory=source.get("name") == "memory",
    )


_UNITS: dict[str, Unit] = {"cpu": "cpu", "memory": "memory"}


def _label(kind: str, source: Json) -> str:
    if kind == "Pods":
        return f"pods metric {source['metric']['name']}"
    return f"{source['name']} of container {source['container']}" if kind == "ContainerResource" else source["name"]


def _cap(source: Json, spec: Json, percent: bool) -> int | None:
    """In whole per cent of the request, cut as the controller cuts: limit 500m of request 300m is 166 %."""
    resource, container = source["name"], source.get("container", "")
    limit = milli_limit(spec, resource, container)
    if limit is None or not percent:
        return limit
    request = milli_request(spec, resource, container)
    return 100 * limit // request if request else None


def present_use(source: Json, spec: Json, pod_metrics: list[Json]) -> int | None:
    """The average use now, as the controller would see it, every pod having the requests of ``spec``.

    In per cent of the request for a Utilization target, in milli-units otherwise; None without metrics.
    """
    resource, container = source["name"], source.get("container", "")
    uses = (milli_use(pod, resource, container) for pod in pod_metrics)
    used = [use for use in uses if use is not None]
    if not used:
        return None
    if "averageUtilization" not in source["target"]:
        return sum(used) // len(used)
    request = milli_request(spec, resource, container)
    return 100 * sum(used) // (request * len(used)) if request else None


def wanted_now(thresholds: list[Threshold], settings: HpaSettings) -> int | None:
    """The replicas that the HPA wants at the present use: the most that any metric asks for, in min..max."""
    known = [
        proposed_replicas(threshold.present, threshold.reach.target, threshold.pods, threshold.tolerance)
        for threshold in thresholds
        if threshold.present is not None
    ]
    if len(known) != len(settings.effective_metrics):
        return None
    return min(max(*known, settings.effective_min), settings.max_replicas)
