"""What scaling would do, from facts alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import ConflictError, NotAllowedError, RefusedError
from mlscale.kube.finding import Finding
from mlscale.kube.kinds import DEPLOYMENT, POD
from mlscale.kube.targets import Found, Target
from mlscale.scale.model import ScalePlan, ScaleRequest
from mlscale.scale.plan import ScaleFacts, plan_scale, refusal, replicas_of
from tests.unit.scale.objects import deployment, hpa

WEB = Target(DEPLOYMENT, "default", "web")


def facts(replicas: int = 2, *, hpas: Any = (), live: bool = True, **more: Any) -> ScaleFacts:
    return ScaleFacts(Found(WEB, deployment("web", replicas, **more), live), hpas)


def reasons(plan: ScalePlan) -> list[tuple[str, str]]:
    return [(finding.level, finding.reason) for finding in plan.findings]


def test_a_plan_says_before_and_after() -> None:
    plan = plan_scale(facts(2), ScaleRequest(5))
    assert (plan.target, plan.before, plan.after, plan.findings, plan.fit) == (WEB, 2, 5, (), None)


def test_what_a_file_says_is_not_what_is_there() -> None:
    # Its replicas are what someone wants, perhaps long ago; the live number is not known.
    assert plan_scale(facts(2, live=False), ScaleRequest(5)).before is None


def test_a_kind_without_scale_is_refused() -> None:
    lone = ScaleFacts(Found(Target(POD, "default", "lone"), {"metadata": {"name": "lone"}}), ())
    with pytest.raises(
        RefusedError, match="pod/lone cannot be scaled: pods have no scale subresource; deployments, state"
    ):
        plan_scale(lone, ScaleRequest(2))


@pytest.mark.parametrize(
    ("obj", "replicas"), [({"spec": {"replicas": 3}}, 3), ({"spec": {}}, None), ({}, None), ({"spec": None}, None)]
)
def test_replicas_of(obj: dict[str, Any], replicas: int | None) -> None:
    assert replicas_of(obj) == replicas


OWNERS = [
    ([], 5, []),
    ([hpa("h", "other")], 5, []),
    ([hpa("h", "web")], 5, [("warning", "GovernedByHPA")]),
    ([hpa("h", "web")], 11, [("warning", "AboveHPAMax")]),
    ([hpa("h", "web", 3)], 2, [("warning", "BelowHPAMin")]),
    ([hpa("h", "web")], 0, [("warning", "HPASwitchedOff")]),
    (NotAllowedError("horizontalpodautoscalers is forbidden"), 5, [("warning", "OwnersUnknown")]),
]


@pytest.mark.parametrize(("hpas", "replicas", "expected"), OWNERS)
def test_who_else_sets_the_replicas(hpas: Any, replicas: int, expected: list[tuple[str, str]]) -> None:
    assert reasons(plan_scale(facts(hpas=hpas), ScaleRequest(replicas))) == expected


def test_not_knowing_the_hpas_names_the_reason() -> None:
    (finding,) = plan_scale(facts(hpas=NotAllowedError("hpas is forbidden")), ScaleRequest(5)).findings
    assert finding.message == "cannot see whether an HPA governs deployment.apps/web: hpas is forbidden"


CLIENT = [
    (ScaleRequest(5, current_replicas=2, dry_run="client"), None),
    (ScaleRequest(5, current_replicas=3, dry_run="client"), "has 2 replicas, not 3; nothing was changed"),
    (ScaleRequest(5, resource_version="7", dry_run="client"), None),
    (ScaleRequest(5, resource_version="8", dry_run="client"), "is at resource version 7, not 8; nothing was changed"),
    # A write leaves it to the server, in the same request: what was read may be old by then.
    (ScaleRequest(5, current_replicas=3), None),
    (ScaleRequest(5, resource_version="8", dry_run="server"), None),
]


@pytest.mark.parametrize(("request_", "message"), CLIENT)
def test_a_dry_run_on_the_client_checks_what_it_can(request_: ScaleRequest, message: str | None) -> None:
    if message is None:
        assert plan_scale(facts(2), request_).after == 5
        return
    with pytest.raises(ConflictError, match=message):
        plan_scale(facts(2), request_)


def test_a_precondition_on_a_file_alone_is_left_open() -> None:
    assert plan_scale(facts(2, live=False), ScaleRequest(5, current_replicas=3, dry_run="client")).before is None


def plan_with(*levels: str) -> ScalePlan:
    findings = tuple(Finding(level, "R", f"{level} {n}") for n, level in enumerate(levels))  # type: ignore[arg-type]
    return ScalePlan(WEB, 1, 2, findings)


REFUSED = [
    ([], None),
    ([plan_with()], None),
    ([plan_with("note", "note")], None),
    ([plan_with("note", "warning")], "refused by --strict: warning 1; nothing was changed; leave --strict out"),
    ([plan_with("warning"), plan_with("refusal")], "refused by --strict: warning 0; refusal 0; nothing was changed"),
]


@pytest.mark.parametrize(("plans", "message"), REFUSED)
def test_strict_refuses_by_all_reasons_at_once(plans: list[ScalePlan], message: str | None) -> None:
    error = refusal(plans)
    assert (error is None) is (message is None)
    assert (message or "") in str(error or "")


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_plan_never_changes_the_numbers(before: int, after: int) -> None:
    plan = plan_scale(facts(before), ScaleRequest(after))
    assert (plan.before, plan.after) == (before, after)
