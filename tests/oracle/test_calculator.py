"""The replica calculator of hpa/ against upstream's own, on generated pods, samples and targets.

MLSCALE_ORACLE_SEED repeats a run; the seed of a failure is in its message.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import pytest

from mlscale.hpa.calculator import (
    MeasuredPods,
    Proposal,
    UncomputableError,
    average_replicas,
    external_average_replicas,
    external_value,
    object_average_replicas,
    utilization_replicas,
    value_replicas,
)
from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.pod_groups import Sample
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.samples import pod_facts
from mlscale.hpa.tolerance import Tolerance
from mlscale.kube.pods import timestamp
from tests.oracle import upstream
from tests.oracle.calculator_cases import CALLS, NOW, calculator_case
from tests.oracle.seeds import chosen_seed

Json = dict[str, Any]

CASES = 12_000
FLAGS = ControllerFlags()


def answer(case: Json) -> Json:
    """What mlscale says, in the form of upstream's answer."""
    if not (case["samples"] if case["call"] in ("resource", "raw_resource", "pods") else case["values"]):
        return {"error": "no metrics"}
    try:
        said = _proposal(case)
    except UncomputableError as error:
        return {"error": _without_names(str(error))}
    # Upstream returns a replica count and a use without an error, a utilization only where it was asked for.
    return {"replicas": said.replicas, "utilization": said.utilization or 0, "usage": said.usage, "error": ""}


def _proposal(case: Json) -> Proposal:
    call, current, target = case["call"], case["current"], case["target"]
    tolerance, values = Tolerance(case["down"], case["up"]), case["values"]
    measured = _measured(case)
    if call == "resource":
        return utilization_replicas(current, target, measured, tolerance, FLAGS)
    if call in ("raw_resource", "pods"):
        return average_replicas(current, target, measured, tolerance, FLAGS)
    if call == "object_per_pod":
        return object_average_replicas(current, target, values[0], tolerance)
    if call == "external_per_pod":
        return external_average_replicas(current, target, values, tolerance)
    usage = values[0] if call == "object" else external_value(values)
    return value_replicas(current, target, usage, measured.pods, tolerance)


def _measured(case: Json) -> MeasuredPods:
    need = RequestNeed(case["resource"], case["container"])
    return MeasuredPods(
        pods=[pod_facts(pod) for pod in case["pods"]],
        samples={name: _sample(one) for name, one in case["samples"].items()},
        now=NOW.timestamp(),
        resource=case["resource"],
        requests={pod["metadata"]["name"]: request_of(pod["spec"], need) for pod in case["pods"]},
    )


def _sample(given: Json) -> Sample:
    moment = timestamp(given["timestamp"])
    assert moment
    return Sample(given["value"], moment.timestamp(), given["window"])


def _without_names(error: str) -> str:
    """Upstream looks at pods in no order: which of several that lack a request it names is chance."""
    return "missing request" if error.startswith("missing ") else error


def upstreams(said: Json) -> Json:
    """Upstream's answer; what a metrics API failed with is not the calculator's."""
    error = said["error"]
    if error:
        return {"error": "no metrics" if re.search(r": no metrics returned from \w+ metrics API$", error) else
                _without_names(error)}  # fmt: skip
    return said


@pytest.mark.usefixtures("upstreams_controller")
def test_the_calculator_is_upstreams() -> None:
    seed = chosen_seed()
    generator = random.Random(seed)
    cases = [calculator_case(generator) for _ in range(CASES)]
    said = upstream.ask("TestCalculator", cases, timeout=300)
    wrong = [
        (case, upstreams(theirs), answer(case))
        for case, theirs in zip(cases, said, strict=True)
        if upstreams(theirs) != answer(case)
    ]
    assert len(said) == CASES
    assert not wrong, f"seed {seed}: {len(wrong)} of {CASES} differ, such as {min(wrong, key=lambda w: len(str(w)))}"
    # A generator that asked only for failures would agree on everything.
    computed = Counter(case["call"] for case, theirs in zip(cases, said, strict=True) if not theirs["error"])
    assert min(computed[call] for call in CALLS) > 500, computed
