"""`scale`: read what is there, plan, write, and where asked wait for the effect."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError, NotAllowedError
from mlscale.frozen import replace
from mlscale.kube.api_errors import ApiNotFoundError
from mlscale.kube.kinds import HPA
from mlscale.kube.targets import Found, explain_not_found
from mlscale.scale.at_once import can_scale_at_once, scale_at_once, with_replicas
from mlscale.scale.model import WAIT_TIMEOUT, Clock, Progress, ScaleOutcome, ScalePlan, ScaleRequest
from mlscale.scale.plan import ScaleFacts, plan_scale, refusal, replicas_of
from mlscale.scale.write import write_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlscale.kube.capacity import CapacityFacts
    from mlscale.kube.client import Client
    from mlscale.kube.parallel import Stop


def scale(
    client: Client,
    found: Sequence[Found],
    request: ScaleRequest,
    clock: Clock,
    progress: Callable[[Progress], None],
    announce: Callable[[ScalePlan], None] | None = None,
    stop: Stop | None = None,
) -> Iterator[ScaleOutcome | MlscaleError]:
    """Scale every target, several at a time; outcomes come in the order of ``found``.

    ``announce`` gets each plan before anything is waited for, which can take long.
    A target that fails does not stop the others unless ``stop`` says so. With ``request.strict`` a finding against any
    of them raises RefusedError before anything is written.
    """
    if can_scale_at_once(found, request):
        outcomes = client.in_order([partial(scale_at_once, client, found[0], request, announce)])
    else:
        outcomes = _scale_as_planned(client, found, request, announce, stop)
    if not (request.wait or request.timeout):
        return outcomes
    # All is written before the first wait: more targets than connections would else scale one after another.
    written = list(outcomes)
    since = clock.now()
    return client.in_order([partial(_waited, client, outcome, request, clock, since, progress) for outcome in written])


def _scale_as_planned(
    client: Client,
    found: Sequence[Found],
    request: ScaleRequest,
    announce: Callable[[ScalePlan], None] | None,
    stop: Stop | None,
) -> Iterator[ScaleOutcome | MlscaleError]:
    """Read all, plan all, then write."""
    facts = read_facts(client, found, request.replicas, capacity=request.strict)
    plans = [_planned(fact, request) for fact in facts]
    if request.strict:
        refuse_on_findings(plans)
    for plan in plans:
        if announce and not isinstance(plan, MlscaleError):
            announce(plan)
    calls = [partial(_written, client, fact, plan, request) for fact, plan in zip(facts, plans, strict=True)]
    return client.in_order(calls, stop=stop)


def check(client: Client, found: Sequence[Found], request: ScaleRequest) -> list[ScalePlan | MlscaleError]:
    """The plans alone, with how many of the new copies fit; nothing is written."""
    return [_planned(fact, request) for fact in read_facts(client, found, request.replicas, capacity=True)]


def refuse_on_findings(plans: Sequence[ScalePlan | MlscaleError]) -> None:
    """Raise for the first plan that failed, else RefusedError if any plan has a warning."""
    for plan in plans:
        if isinstance(plan, MlscaleError):
            raise plan
    refused = refusal([plan for plan in plans if isinstance(plan, ScalePlan)])
    if refused:
        raise refused


def read_facts(
    client: Client, found: Sequence[Found], replicas: int, *, capacity: bool
) -> list[ScaleFacts | MlscaleError]:
    """The HPAs of each namespace once, the live object of a target that came from a file, and the room."""
    namespaces = sorted({item.target.namespace for item in found})
    lists = client.together(*[partial(client.list_all, HPA.path(namespace)) for namespace in namespaces])
    hpas = dict(zip(namespaces, lists, strict=True))
    live = client.together(*[partial(_live, client, item) for item in found])
    return [
        item
        if isinstance(item, MlscaleError)
        else ScaleFacts(item, hpas[item.target.namespace], _room(client, item, replicas) if capacity else None)
        for item in live
    ]


def _live(client: Client, found: Found) -> Found:
    """``found`` as the server has it; a file's object stays where the server forbids reading it."""
    if found.live or not found.target.kind.scalable:
        return found
    try:
        return Found(found.target, client.get(found.target.path()))
    except ApiNotFoundError:
        raise explain_not_found(client, found.target) from None
    except NotAllowedError:
        return found


def _room(client: Client, item: Found, replicas: int) -> CapacityFacts | None:
    template = (item.object.get("spec") or {}).get("template")
    if replicas <= (replicas_of(item.object) or 0) or not isinstance(template, dict):
        return None
    from mlscale.kube.capacity import read_capacity  # with placement and admission 17 ms, for --check and --strict only

    return read_capacity(client, item.target.namespace, template)


def _planned(fact: ScaleFacts | MlscaleError, request: ScaleRequest) -> ScalePlan | MlscaleError:
    if isinstance(fact, MlscaleError):
        return fact
    try:
        return plan_scale(fact, request)
    except MlscaleError as error:
        return error


def _written(
    client: Client, fact: ScaleFacts | MlscaleError, plan: ScalePlan | MlscaleError, request: ScaleRequest
) -> ScaleOutcome:
    if isinstance(fact, MlscaleError):
        raise fact
    if isinstance(plan, MlscaleError):
        raise plan
    printed = with_replicas(fact.found.object, request.replicas)
    if request.dry_run == "client":
        return ScaleOutcome(plan, printed, written=False)
    write_scale(client, plan.target, request)
    return ScaleOutcome(plan, printed, written=request.dry_run == "none")


def _waited(
    client: Client,
    outcome: ScaleOutcome | MlscaleError,
    request: ScaleRequest,
    clock: Clock,
    since: float,
    progress: Callable[[Progress], None],
) -> ScaleOutcome:
    """``outcome`` once its effect is there, or with the error that says why it is not."""
    from mlscale.scale.wait import wait_counts, wait_ready

    if isinstance(outcome, MlscaleError):
        raise outcome
    if not outcome.written:
        return outcome
    try:
        if request.wait:
            wait_ready(client, outcome.plan, request.timeout or WAIT_TIMEOUT, clock, since, progress)
        else:
            wait_counts(client, outcome.plan, request.timeout, clock, since)
    except MlscaleError as error:
        return replace(outcome, error=error)
    return outcome
