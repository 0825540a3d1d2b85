"""Objects that a server completes or refuses: what it answers to each is in rule_answers.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.sandbox.rule_objects import limited_cases, other_cases, quota_cases
from tests.unit.sandbox.rule_pods import pod_cases
from tests.unit.sandbox.rule_workloads import autoscaler_cases, deployment_cases, job_cases, workload_cases

if TYPE_CHECKING:
    from tests.unit.sandbox.rule_base import Case

CASES: list[Case] = [
    *autoscaler_cases(), *deployment_cases(), *workload_cases(), *job_cases(), *pod_cases(), *quota_cases(),
    *other_cases(), *limited_cases(),
]  # fmt: skip
