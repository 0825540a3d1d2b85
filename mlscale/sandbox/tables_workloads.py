"""The rows of what makes pods, and of disruption budgets.

The rules are those of pkg/printers/internalversion/printers.go, v1.37.2.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.tables_layout import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    WIDE_SELECTOR,
    Column,
    Layout,
    age,
    container_cells,
    format_labels,
    format_selector,
    has_condition,
    human_duration,
    name_of,
    part,
    since,
)

if TYPE_CHECKING:
    from mlscale.sandbox.tables_layout import Cells

Json = dict[str, Any]

_WIDE = (*WIDE_CONTAINERS, WIDE_SELECTOR)
_COUNTS = (
    Column("Desired", "Pods that should be there.", type="integer"),
    Column("Current", "Pods that are there.", type="integer"),
    Column("Ready", "Pods that are ready.", type="integer"),
)
_DAEMON_COUNTS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
)
_JOB_ENDS = ("Complete", "Failed")
_JOB_STATES = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


def deployment_cells(deployment: Json, now: datetime) -> Cells:
    """The row of a Deployment."""
    spec, status = part(deployment, "spec"), part(deployment, "status")
    counts = [_count(status, "updatedReplicas"), _count(status, "availableReplicas")]
    row = [name_of(deployment), _ready(spec, status), *counts, age(deployment, now)]
    # Unlike the other kinds, no selector is written as nothing: only the object of a bookmark has none.
    return [*row, *container_cells(part(spec, "template")), format_selector(spec.get("selector"))]


def statefulset_cells(statefulset: Json, now: datetime) -> Cells:
    """The row of a StatefulSet."""
    spec = part(statefulset, "spec")
    row = [name_of(statefulset), _ready(spec, part(statefulset, "status")), age(statefulset, now)]
    return [*row, *container_cells(part(spec, "template"))]


def replicaset_cells(replicaset: Json, now: datetime) -> Cells:
    """The row of a ReplicaSet."""
    selector = part(replicaset, "spec").get("selector")
    return [*_replica_cells(replicaset, now), format_selector(selector) or "<none>"]


def replicationcontroller_cells(controller: Json, now: datetime) -> Cells:
    """The row of a ReplicationController, whose selector is plain labels."""
    return [*_replica_cells(controller, now), format_labels(part(controller, "spec").get("selector"))]


def daemonset_cells(daemonset: Json, now: datetime) -> Cells:
    """The row of a DaemonSet."""
    spec, status = part(daemonset, "spec"), part(daemonset, "status")
    template = part(spec, "template")
    nodes = format_labels(part(template, "spec").get("nodeSelector"))
    row = [name_of(daemonset), *(_count(status, key) for key in _DAEMON_COUNTS), nodes, age(daemonset, now)]
    return [*row, *container_cells(template), format_selector(spec.get("selector")) or "<none>"]


def job_cells(job: Json, now: datetime) -> Cells:
    """The row of a Job."""
    spec = part(job, "spec")
    row = [name_of(job), _job_status(job), _completions(job), _job_duration(job, now), age(job, now)]
    return [*row, *container_cells(part(spec, "template")), format_selector(spec.get("selector")) or "<none>"]


def cronjob_cells(cronjob: Json, now: datetime) -> Cells:
    """The row of a CronJob."""
    spec, status = part(cronjob, "spec"), part(cronjob, "status")
    suspend = {None: "<unset>", True: "True", False: "False"}[spec.get("suspend")]
    scheduled = status.get("lastScheduleTime")
    last = since(scheduled, now) if scheduled else "<none>"
    zone = spec.get("timeZone")
    active = len(status.get("active") or ())
    schedule = [spec.get("schedule") or "", "<none>" if zone is None else zone, suspend, active, last]
    job = part(spec, "jobTemplate", "spec")
    wide = [*container_cells(part(job, "template")), format_selector(job.get("selector")) or "<none>"]
    return [name_of(cronjob), *schedule, age(cronjob, now), *wide]


def pdb_cells(budget: Json, now: datetime) -> Cells:
    """The row of a PodDisruptionBudget."""
    spec = part(budget, "spec")
    bounds = [str(spec[key]) if spec.get(key) is not None else "N/A" for key in ("minAvailable", "maxUnavailable")]
    return [name_of(budget), *bounds, _count(part(budget, "status"), "disruptionsAllowed"), age(budget, now)]


def _count(mapping: Json, key: str) -> int:
    return mapping.get(key) or 0


def _ready(spec: Json, status: Json) -> str:
    return f"{_count(status, 'readyReplicas')}/{_count(spec, 'replicas')}"


def _replica_cells(obj: Json, now: datetime) -> Cells:
    spec, status = part(obj, "spec"), part(obj, "status")
    counts = [_count(spec, "replicas"), _count(status, "replicas"), _count(status, "readyReplicas")]
    return [name_of(obj), *counts, age(obj, now), *container_cells(part(spec, "template"))]


def _job_status(job: Json) -> str:
    conditions = part(job, "status").get("conditions")
    ended = next((name for name in _JOB_ENDS if has_condition(conditions, name)), None)
    if ended:
        return ended
    if part(job, "metadata").get("deletionTimestamp"):
        return "Terminating"
    return next((name for name in _JOB_STATES if has_condition(conditions, name)), "Running")


def _completions(job: Json) -> str:
    """``2/5``; a job of unspecified completions is done with one: ``0/1 of 3`` for three pods at a time."""
    spec = part(job, "spec")
    succeeded, wanted = _count(part(job, "status"), "succeeded"), spec.get("completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = _count(spec, "parallelism")
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(job: Json, now: datetime) -> str:
    status = part(job, "status")
    if not status.get("startTime"):
        return ""
    ended = status.get("completionTime")
    end = datetime.fromisoformat(ended) if ended else now
    return human_duration(end - datetime.fromisoformat(status["startTime"]))


DEPLOYMENTS = Layout(
    (
        NAME,
        Column("Ready", "Pods that are ready, of all that should be."),
        # The cells of these two are numbers although the type says text.
        Column("Up-to-date", "Pods of the current template."),
        Column("Available", "Pods that have been ready for minReadySeconds."),
        AGE,
        *_WIDE,
    ),
    deployment_cells,
)
STATEFULSETS = Layout(
    (NAME, Column("Ready", "Pods that are ready, of all that should be."), AGE, *WIDE_CONTAINERS), statefulset_cells
)
REPLICASETS = Layout((NAME, *_COUNTS, AGE, *_WIDE), replicaset_cells)
REPLICATIONCONTROLLERS = Layout((NAME, *_COUNTS, AGE, *_WIDE), replicationcontroller_cells)
DAEMONSETS = Layout(
    (
        NAME,
        *_COUNTS,
        Column("Up-to-date", "Pods of the current template.", type="integer"),
        Column("Available", "Pods that have been ready for minReadySeconds.", type="integer"),
        Column("Node Selector", "Labels that the nodes must have."),
        AGE,
        *_WIDE,
    ),
    daemonset_cells,
)
JOBS = Layout(
    (
        NAME,
        Column("Status", "How far the job is."),
        Column("Completions", "Pods that have succeeded, of all that should."),
        Column("Duration", "Time from the start to the completion, or until now."),
        AGE,
        *_WIDE,
    ),
    job_cells,
)
CRONJOBS = Layout(
    (
        NAME,
        Column("Schedule", "When jobs start, in cron's notation."),
        Column("Timezone", "Time zone of the schedule."),
        Column("Suspend", "Whether no more jobs start.", type="boolean"),
        Column("Active", "Jobs that run.", type="integer"),
        Column("Last Schedule", "Time since a job was last started."),
        AGE,
        *_WIDE,
    ),
    cronjob_cells,
)
PDBS = Layout(
    (
        NAME,
        Column("Min Available", "Pods that must stay available."),
        Column("Max Unavailable", "Pods that may be unavailable."),
        Column("Allowed Disruptions", "Pods that may be evicted now.", type="integer"),
        AGE,
    ),
    pdb_cells,
)
