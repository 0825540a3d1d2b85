"""The verb ``autoscale``: read, plan, apply, for one target after another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from mlscale.autoscale.changes import spec_changes
from mlscale.autoscale.facts import NamespaceFacts, pod_asks, read_alone, read_namespace, read_target, with_pods
from mlscale.autoscale.plan import Plan, cannot_scale, plan_autoscale
from mlscale.errors import ConflictError, MlscaleError, UsageError
from mlscale.frozen import frozen, replace
from mlscale.hpa.numbers import dns_subdomain
from mlscale.kube.api_errors import ApiConflictError
from mlscale.kube.asks import Ask, ask_apply
from mlscale.kube.kinds import HPA
from mlscale.kube.parallel import Stop
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.autoscale.facts import TargetFacts
    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.client import Client
    from mlscale.kube.finding import Finding
    from mlscale.kube.parallel import Call
    from mlscale.kube.targets import Found, Target

Json = dict[str, Any]
Action = Literal["created", "configured", "unchanged", "applied"]
"""``applied`` where it is not known which, since HPAs may not be listed."""
DryRun = Literal["none", "client", "server"]
MANY = 16
"""Targets from which on lists cost the server less than reading each."""
Namespaces = dict[str, NamespaceFacts | MlscaleError]
"""The facts of each namespace by its name, or why they could not be read."""


@frozen
class WriteOptions:
    """How ``autoscale`` writes."""

    name: str = ""
    """The HPA's name, that of its target if empty."""
    force: bool = False
    """Write although a check refuses."""
    force_conflicts: bool = False
    """Take fields over from other field managers."""
    dry_run: DryRun = "none"


@frozen
class Outcome:
    """What became of one target."""

    target: Target | None
    """None where the target itself could not be found out."""
    name: str = ""
    """The name of the HPA."""
    action: Action | None = None
    """What was done, or would be in a dry run; None after an error."""
    hpa: Json | None = None
    """The HPA as the server answered it, or the manifest in a client's dry run."""
    changes: tuple[str, ...] = ()
    """Lines such as ``maxReplicas: 5 -> 6`` for an HPA that was there."""
    findings: tuple[Finding, ...] = ()
    """Notes and warnings; refusals too, which an error repeats or ``force`` overrode."""
    error: MlscaleError | None = None

    @property
    def printed(self) -> str:
        """``horizontalpodautoscaler.autoscaling/web``, as kubectl prints it."""
        return f"{HPA.printed}/{printable(self.name)}"


def autoscale(
    client: Client,
    found: Sequence[Found | MlscaleError],
    settings: HpaSettings,
    options: WriteOptions,
    stop: Stop | None = None,
) -> Iterator[Outcome]:
    """Give each target its HPA; one outcome a target as it comes, in order, an error stopping none but its own
    unless ``stop`` says so.

    Raises UsageError before anything is read for a name that is no name, or one name for several targets.
    """
    _check_name(options.name, found)
    return _outcomes(client, found, settings, options, stop or Stop())


def _check_name(name: str, found: Sequence[Found | MlscaleError]) -> None:
    if name and len(found) > 1:
        raise UsageError(f"--name {name} can name one HPA, and there are {len(found)} targets", "leave --name out")
    if name:
        dns_subdomain("--name", name)


def _outcomes(
    client: Client,
    found: Sequence[Found | MlscaleError],
    settings: HpaSettings,
    options: WriteOptions,
    stop: Stop,
) -> Iterator[Outcome]:
    """Several targets at a time; one whose HPA or workload came before waits, so as to see what that one wrote."""
    readable = [one for one in found if not isinstance(one, MlscaleError)]
    namespaces = _read_namespaces(client, readable, settings)
    known = _read_many(client, readable, namespaces, settings)
    repeated = _repeated(found, options)
    firsts = [
        one for one, again in zip(found, repeated, strict=True) if not again and not isinstance(one, MlscaleError)
    ]

    def call(one: Found) -> Call[Outcome]:
        return partial(_autoscale_one, client, one, settings, options, namespaces, known, stop)

    stop.heed(len(readable) < len(found))
    side_by_side = client.in_order([call(one) for one in firsts], stop=stop)
    said: set[Finding] = set()
    for one, again in zip(found, repeated, strict=True):
        if isinstance(one, MlscaleError):
            yield Outcome(None, error=one)
            continue
        done = next(client.in_order([call(one)], stop=stop) if again else side_by_side)
        if isinstance(done, MlscaleError):
            done = Outcome(one.target, options.name or one.target.name, error=done)
        facts = namespaces.get(one.target.namespace)
        if done.hpa is not None and isinstance(facts, NamespaceFacts):
            namespaces[one.target.namespace] = facts.with_hpa(done.hpa)
        yield replace(done, findings=_told(done, said, several=len(found) > 1))


def _read_namespaces(client: Client, found: Sequence[Found], settings: HpaSettings) -> Namespaces:
    """The facts of each namespace; none where one target is all, which reads them together with its own."""
    if len(found) == 1:
        return {}
    names = sorted({one.target.namespace for one in found})
    facts = client.together(*[partial(read_namespace, client, name, settings) for name in names])
    return dict(zip(names, facts, strict=True))


def _read_many(
    client: Client, found: Sequence[Found], namespaces: Namespaces, settings: HpaSettings
) -> dict[Target, TargetFacts]:
    if len(found) < MANY:
        return {}
    from mlscale.autoscale.many import read_many

    return read_many(client, found, namespaces, settings, MANY)


def _repeated(found: Sequence[Found | MlscaleError], options: WriteOptions) -> list[bool]:
    """Whether each target, or the name that its HPA gets, came before it."""
    seen: set[object] = set()
    repeated = []
    for one in found:
        keys: set[object] = set()
        if not isinstance(one, MlscaleError):
            keys = {one.target, (one.target.namespace, options.name or one.target.name)}
        repeated.append(bool(keys & seen))
        seen |= keys
    return repeated


def _told(outcome: Outcome, said: set[Finding], *, several: bool) -> tuple[Finding, ...]:
    """The findings of one outcome; what holds for all targets comes once, and among several each is named."""
    about = outcome.target.printed if outcome.target else ""
    told = []
    for finding in outcome.findings:
        if finding.about == about:
            named = not several or about in finding.message
            told.append(finding if named else replace(finding, message=f"{about}: {finding.message}"))
        elif finding not in said:
            said.add(finding)
            told.append(finding)
    return tuple(told)


def _autoscale_one(
    client: Client,
    found: Found,
    settings: HpaSettings,
    options: WriteOptions,
    namespaces: Namespaces,
    known: dict[Target, TargetFacts],
    stop: Stop,
) -> Outcome:
    if not found.target.kind.namespaced:
        raise cannot_scale(found.target)
    namespace = namespaces.get(found.target.namespace)
    if isinstance(namespace, MlscaleError):
        raise namespace
    facts = known.get(found.target)
    if facts is not None and namespace is not None:
        facts = replace(facts, namespace=namespace)
        plan = plan_autoscale(facts, settings, options.name)
        outcome = _refused_or_applied(client, plan, options)
    elif namespace is not None:
        outcome = _planned_and_applied(client, read_target(client, found, namespace), settings, options)
    else:
        facts = read_alone(client, found, settings)
        namespaces[found.target.namespace] = facts.namespace
        outcome = _planned_and_applied(client, facts, settings, options)
    stop.heed(outcome.error is not None)
    return outcome


def _planned_and_applied(client: Client, facts: TargetFacts, settings: HpaSettings, options: WriteOptions) -> Outcome:
    """The pods are read beside the write, unless what they show may decide whether it is refused."""
    plan = plan_autoscale(facts, settings, options.name)
    pods = pod_asks(facts, settings)
    may_refuse = plan.refusal() is not None or facts.template_spec is None
    if pods and not may_refuse and options.dry_run != "client":
        *answers, written = client.in_one_round([*pods, _ask_apply(plan, options)])
        if isinstance(written, MlscaleError):
            raise _explained(plan, written)
        plan = plan_autoscale(with_pods(facts, answers, client.now()), settings, options.name)
        return _outcome(plan, written, options)
    if pods:
        facts = with_pods(facts, client.in_one_round(pods), client.now())
        plan = plan_autoscale(facts, settings, options.name)
    return _refused_or_applied(client, plan, options)


def _refused_or_applied(client: Client, plan: Plan, options: WriteOptions) -> Outcome:
    refusal = plan.refusal()
    if refusal is not None and not options.force:
        return Outcome(plan.target, plan.name, findings=plan.findings, error=refusal)
    return apply_plan(client, plan, options)


def apply_plan(client: Client, plan: Plan, options: WriteOptions) -> Outcome:
    """Write the HPA by server-side apply, or say what that would do; ``force`` makes refusals warnings.

    Raises ConflictError naming managers and fields, and ApiError for other refusals of the server.
    """
    if options.dry_run == "client":
        return _outcome(plan, plan.manifest, options)
    try:
        return _outcome(plan, client.ask(_ask_apply(plan, options)), options)
    except MlscaleError as error:
        raise _explained(plan, error) from error


def _outcome(plan: Plan, hpa: Json, options: WriteOptions) -> Outcome:
    """What became of ``plan``, by the HPA that the server stored, or that of the plan in a client's dry run."""
    only_checked = options.dry_run == "client"
    before = (plan.existing or {}).get("spec") or {}
    changes = spec_changes(before, hpa["spec"], given_only=only_checked) if plan.existing else ()
    # The generation of an HPA is kept from 1.37 on only, so the specs tell what changed.
    same = not changes if only_checked else before == hpa["spec"]
    action: Action = "unchanged" if same else "configured"
    if plan.existing is None:
        action = "created" if plan.existing_known else "applied"
    findings = tuple(replace(f, level="warning") if f.level == "refusal" else f for f in plan.findings)
    return Outcome(plan.target, plan.name, action, hpa, changes, findings)


def _ask_apply(plan: Plan, options: WriteOptions) -> Ask:
    path = HPA.path(plan.target.namespace, plan.name)
    return ask_apply(path, plan.manifest, force=options.force_conflicts, dry_run=options.dry_run == "server")


def _explained(plan: Plan, error: MlscaleError) -> MlscaleError:
    """What the write failed with, in the words of the command line."""
    if not isinstance(error, ApiConflictError):
        return error
    causes = [cause for cause in error.status.causes if cause.get("reason") == "FieldManagerConflict"]
    return _conflict(plan.name, causes) if causes else error


def _conflict(name: str, causes: list[Json]) -> ConflictError:
    """``kubectl-autoscale sets .spec.maxReplicas and .spec.minReplicas of …`` from the causes of a 409."""
    fields: dict[str, list[str]] = {}
    for cause in causes:
        manager = _manager(str(cause.get("message") or ""))
        fields.setdefault(manager, []).append(str(cause.get("field") or "").removeprefix("."))
    owned = "; ".join(f"field manager {manager} set {', '.join(names)}" for manager, names in fields.items())
    return ConflictError(
        printable(f"{HPA.printed}/{name} was not changed: {owned}"),
        "--force-conflicts takes over, or change it where it was set",
    )


def _manager(message: str) -> str:
    """The name in ``conflict with "kubectl-autoscale" using autoscaling/v2``."""
    parts = message.split('"')
    return parts[1] if len(parts) >= 3 else "another"
