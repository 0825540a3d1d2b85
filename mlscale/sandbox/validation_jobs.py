"""What is wrong with a Job or a CronJob (pkg/apis/batch/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.causes import IMMUTABLE, invalid, not_negative, not_supported, required, unchanged
from mlscale.sandbox.validation_metadata import is_selector, selector_causes, selector_matches
from mlscale.sandbox.validation_pods import template_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_MODES = ("NonIndexed", "Indexed")
_ENDING = ("OnFailure", "Never")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_FIELDS_OF_SCHEDULE = 5


def job_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A Job's spec; of a stored one neither template nor selector change."""
    yield from job_spec_causes("spec", spec)
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required("spec.selector")
    else:
        yield from selector_causes("spec.selector", selector)
    labels = (template.get("metadata") or {}).get("labels")
    if is_selector(selector) and not selector_matches(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if before is not None:
        yield from _fixed_fields(spec, before)


def cron_job_causes(spec: Json) -> Iterator[Cause]:
    """A CronJob's spec."""
    schedule, policy = spec.get("schedule") or "", spec.get("concurrencyPolicy") or ""
    fields = schedule.split()
    if schedule and not schedule.startswith("@") and len(fields) != _FIELDS_OF_SCHEDULE:
        listed = " ".join(fields)
        words = f"expected exactly {_FIELDS_OF_SCHEDULE} fields, found {len(fields)}: [{listed}]"
        yield invalid("spec.schedule", schedule, words)
    yield from not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    if policy not in _CONCURRENCY:
        yield not_supported("spec.concurrencyPolicy", policy, _CONCURRENCY)
    yield from not_negative("spec.successfulJobsHistoryLimit", spec.get("successfulJobsHistoryLimit"))
    yield from not_negative("spec.failedJobsHistoryLimit", spec.get("failedJobsHistoryLimit"))
    yield from job_spec_causes("spec.jobTemplate.spec", (spec.get("jobTemplate") or {}).get("spec") or {})
    if not schedule:
        yield required("spec.schedule")


def job_spec_causes(path: str, spec: Json) -> Iterator[Cause]:
    """What a Job and the template of a CronJob have in common."""
    for key in _COUNTS:
        yield from not_negative(f"{path}.{key}", spec.get(key))
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        yield not_supported(f"{path}.completionMode", mode, _MODES)
    if mode == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if mode in (None, "NonIndexed"):
        for key in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(key) is not None:
                yield invalid(f"{path}.{key}", spec[key], "requires indexed completion mode")
    template = spec.get("template") or {}
    yield from template_causes(f"{path}.template", template)
    restart = (template.get("spec") or {}).get("restartPolicy") or ""
    if restart in ("", "Always"):
        yield required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif restart not in _ENDING:
        yield not_supported(f"{path}.template.spec.restartPolicy", restart, _ENDING)


def _fixed_fields(spec: Json, before: Json) -> Iterator[Cause]:
    if before.get("completionMode") != "Indexed" and spec.get("completions") != before.get("completions"):
        yield invalid("spec.completions", spec.get("completions"), IMMUTABLE)
    for key in ("selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex"):
        if key != "template" or not before.get("suspend"):
            yield from unchanged(f"spec.{key}", spec.get(key), before.get(key))
