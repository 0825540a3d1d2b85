"""The verb ``autoscale``: read, plan, apply, for one target after another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from mlscale.autoscale.changes import spec_changes
from mlscale.autoscale.facts import NamespaceFacts, read_namespace, read_target
from mlscale.autoscale.plan import Plan, cannot_scale, plan_autoscale
from mlscale.errors import ConflictError, MlscaleError, UsageError
from mlscale.frozen import frozen, replace
from mlscale.hpa.numbers import dns_subdomain
from mlscale.kube.api_errors import ApiConflictError
from mlscale.kube.kinds import HPA
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.client import Client
    from mlscale.kube.finding import Finding
    from mlscale.kube.targets import Found, Target

Json = dict[str, Any]
Action = Literal["created", "configured", "unchanged", "applied"]
"""``applied`` where it is not known which, since HPAs may not be listed."""
DryRun = Literal["none", "client", "server"]
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
    client: Client, found: Sequence[Found | MlscaleError], settings: HpaSettings, options: WriteOptions
) -> Iterator[Outcome]:
    """Give each target its HPA; one outcome a target as it comes, in order, an error stopping none but its own.

    Raises UsageError before anything is read for a name that is no name, or one name for several targets.
    """
    _check_name(options.name, found)
    return _outcomes(client, found, settings, options)


def _check_name(name: str, found: Sequence[Found | MlscaleError]) -> None:
    if name and len(found) > 1:
        raise UsageError(f"--name {name} can name one HPA, and there are {len(found)} targets", "leave --name out")
    if name:
        dns_subdomain("--name", name)


def _outcomes(
    client: Client, found: Sequence[Found | MlscaleError], settings: HpaSettings, options: WriteOptions
) -> Iterator[Outcome]:
    """Several targets at a time; one whose HPA or workload came before waits, so as to see what that one wrote."""
    readable = [one for one in found if not isinstance(one, MlscaleError)]
    namespaces = _read_namespaces(client, readable, settings)
    repeated = _repeated(found, options)
    firsts = [
        one for one, again in zip(found, repeated, strict=True) if not again and not isinstance(one, MlscaleError)
    ]
    side_by_side = client.in_order(
        [partial(_autoscale_one, client, one, settings, options, namespaces) for one in firsts]
    )
    said: set[Finding] = set()
    for one, again in zip(found, repeated, strict=True):
        if isinstance(one, MlscaleError):
            yield Outcome(None, error=one)
            continue
        late = [partial(_autoscale_one, client, one, settings, options, namespaces)]
        done = next(client.in_order(late) if again else side_by_side)
        if isinstance(done, MlscaleError):
            done = Outcome(one.target, options.name or one.target.name, error=done)
        facts = namespaces[one.target.namespace]
        if done.hpa is not None and isinstance(facts, NamespaceFacts):
            namespaces[one.target.namespace] = facts.with_hpa(done.hpa)
        yield replace(done, findings=_told(done, said, several=len(found) > 1))


def _read_namespaces(client: Client, found: Sequence[Found], settings: HpaSettings) -> Namespaces:
    names = sorted({one.target.namespace for one in found})
    facts = client.together(*[partial(read_namespace, client, name, settings) for name in names])
    return dict(zip(names, facts, strict=True))


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
    client: Client, found: Found, settings: HpaSettings, options: WriteOptions, namespaces: Namespaces
) -> Outcome:
    target = found.target
    if not target.kind.namespaced:
        raise cannot_scale(target)
    namespace = namespaces[target.namespace]
    if isinstance(namespace, MlscaleError):
        raise namespace
    facts = read_target(client, found, namespace, settings)
    plan = plan_autoscale(facts, settings, options.name)
    refusal = plan.refusal()
    if refusal is not None and not options.force:
        return Outcome(target, plan.name, findings=plan.findings, error=refusal)
    return apply_plan(client, plan, options)


def apply_plan(client: Client, plan: Plan, options: WriteOptions) -> Outcome:
    """Write the HPA by server-side apply, or say what that would do; ``force`` makes refusals warnings.

    Raises ConflictError naming managers and fields, and ApiError for other refusals of the server.
    """
    only_checked = options.dry_run == "client"
    hpa = plan.manifest if only_checked else _apply(client, plan, options)
    before = (plan.existing or {}).get("spec") or {}
    changes = spec_changes(before, hpa["spec"], given_only=only_checked) if plan.existing else ()
    # The generation of an HPA is kept from 1.37 on only, so the specs tell what changed.
    same = not changes if only_checked else before == hpa["spec"]
    action: Action = "unchanged" if same else "configured"
    if plan.existing is None:
        action = "created" if plan.existing_known else "applied"
    findings = tuple(replace(f, level="warning") if f.level == "refusal" else f for f in plan.findings)
    return Outcome(plan.target, plan.name, action, hpa, changes, findings)


def _apply(client: Client, plan: Plan, options: WriteOptions) -> Json:
    path = HPA.path(plan.target.namespace, plan.name)
    dry_run = options.dry_run == "server"
    try:
        return client.apply(path, plan.manifest, force=options.force_conflicts, dry_run=dry_run)
    except ApiConflictError as error:
        causes = [cause for cause in error.status.causes if cause.get("reason") == "FieldManagerConflict"]
        if not causes:
            raise
        raise _conflict(plan.name, causes) from error


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
