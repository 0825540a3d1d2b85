"""Reading the tables: which lists and objects to ask for, and which rows belong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mlscale.errors import MlscaleError, NotFoundError, UsageError
from mlscale.frozen import field, frozen
from mlscale.kube.api_errors import ApiNotFoundError
from mlscale.kube.asks import ask_table
from mlscale.kube.kinds import DEPLOYMENT, HPA, POD, STATEFULSET
from mlscale.kube.near import did_you_mean
from mlscale.kube.targets import Target, explain_not_found, missing_namespace
from mlscale.status.events import EventsRead, ask_events, event_queries, events_read
from mlscale.status.model import KindTable, StatusRequest, hpa_key, merged, row_key, scaled_key, target_key
from mlscale.status.pages import Listing, first_page, read_listings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlscale.kube.client import Client

Json = dict[str, Any]
T = TypeVar("T")

LISTED_WORKLOADS = (DEPLOYMENT, STATEFULSET)


@frozen
class TablesRead:
    """The tables to show, and what was read on the way to them."""

    tables: tuple[KindTable, ...]
    workloads: dict[Target, Json] = field(default_factory=dict)
    """Workloads by target, shown or not; those listed for their names only are empty objects."""
    hpas: tuple[Json, ...] = ()
    """All HPAs of the namespace where they were read whole: two can share a target and only one be shown."""
    pod_selectors: tuple[str, ...] = ()
    """The label selectors of the named workloads' pods."""
    events: EventsRead | None = None
    """The events that explain the rest, where they could be read beside the pods."""
    errors: tuple[MlscaleError, ...] = ()


def check_request(request: StatusRequest) -> None:
    """Raise UsageError for names together with ``-l`` or ``-A``, as kubectl does."""
    if request.targets and request.selector:
        raise UsageError("names and a selector (-l) cannot be given together", "give one of them")
    if request.targets and request.namespace is None:
        raise UsageError("a name is of one namespace, -A asks for all", "give -n NAMESPACE, or leave the name out")


def read_tables(client: Client, request: StatusRequest) -> TablesRead:
    """The tables of ``request``. Errors of single reads are returned beside what could be read."""
    check_request(request)
    return _read_named(client, request) if request.targets else _read_listed(client, request)


def unknown_namespace(client: Client, request: StatusRequest, read: TablesRead) -> list[NotFoundError]:
    """The error for a namespace that does not exist: a list cannot tell it from an empty one, so ask where it is."""
    if request.namespace is None or request.targets or read.errors or any(table.rows for table in read.tables):
        return []
    missing = missing_namespace(client, request.namespace)
    return [missing] if missing else []


def pod_include(request: StatusRequest) -> str:
    """What the rows of pods carry: only ``-A`` needs metadata, for the NAMESPACE column."""
    if request.objects:
        return "Object"
    return "Metadata" if request.namespace is None else "None"


def label_query(selector: str) -> dict[str, str]:
    """The query of ``-l``."""
    return {"labelSelector": selector} if selector else {}


def belongs(hpas: Iterable[Json], targets: Iterable[Target]) -> set[tuple[str, str]]:
    """The row keys of the HPAs that scale one of ``targets``."""
    wanted = set(map(scaled_key, targets))
    return {hpa_key(hpa) for hpa in hpas if target_key(hpa) in wanted}


def targets_of(table: KindTable) -> dict[Target, Json]:
    """The workloads of a Table that was read with objects or metadata, by target."""
    return {Target(table.kind, obj["metadata"]["namespace"], obj["metadata"]["name"]): obj for obj in table.objects}


def _read_listed(client: Client, request: StatusRequest) -> TablesRead:
    """Lists as ``kubectl get deploy,sts,pods,hpa`` reads them, and with ``-l`` the HPAs of what it selects."""
    query = label_query(request.selector)
    listings: list[Listing] = []
    by_target = bool(request.selector) and request.shows("hpa")
    if request.shows("workloads") or by_target:
        # Beside HPAs alone the workloads serve to know their names.
        include = "Object" if request.shows("workloads") else "Metadata"
        listings += [Listing("workloads", kind, request.namespace, include, query) for kind in LISTED_WORKLOADS]
    if request.shows("pods"):
        listings.append(Listing("pods", POD, request.namespace, pod_include(request), query))
    if request.shows("hpa"):
        listings.append(Listing("hpa", HPA, request.namespace, "Object"))
    if by_target:
        listings.append(Listing("hpa", HPA, request.namespace, "Metadata", query))
    outcomes = read_listings(client, listings)
    labelled, _ = _sorted_out([outcomes.pop()] if by_target else ())
    tables, errors = _sorted_out(outcomes)
    return _shown(request, tables, {row_key(row) for table in labelled for row in table.rows}, errors)


def _shown(
    request: StatusRequest, tables: list[KindTable], labelled: set[tuple[str, str]], errors: list[MlscaleError]
) -> TablesRead:
    listed = [table for table in tables if table.section == "workloads"]
    workloads = {target: obj for table in listed for target, obj in targets_of(table).items()}
    hpas = tuple(hpa for table in tables if table.kind == HPA for hpa in table.objects)
    if request.selector:
        kept = belongs(hpas, workloads) | labelled
        tables = [_only(table, kept) if table.kind == HPA else table for table in tables]
    shown = tuple(table for table in tables if request.shows(table.section))
    return TablesRead(shown, workloads, hpas, errors=tuple(errors))


def _only(table: KindTable, keys: set[tuple[str, str]]) -> KindTable:
    return table.with_rows(row for row in table.rows if row_key(row) in keys)


@frozen
class _NamedWorkload:
    table: KindTable
    pod_selector: str


def _read_named(client: Client, request: StatusRequest) -> TablesRead:
    """The named workloads and the namespace's HPAs, then the workloads' pods by selector and what explains both."""
    if set(request.only) == {"hpa"}:
        return _read_hpas_named(client, request)
    hpa_list = [Listing("hpa", HPA, request.targets[0].namespace, "Object")] if request.shows("hpa") else []
    named = [ask_table(target.path(), "Object") for target in request.targets]
    answers = client.in_one_round([*named, *(listing.page() for listing in hpa_list)])
    calls = [partial(_named, client, *each) for each in zip(request.targets, answers, strict=False)]
    found, errors = _sorted_out(client.together(*calls))
    hpas, hpa_errors = _sorted_out(map(partial(first_page, client), hpa_list, answers[len(named) :]))
    workloads = {target: obj for one in found for target, obj in targets_of(one.table).items()}
    every = tuple(hpa for table in hpas for hpa in table.objects)
    selectors = tuple(dict.fromkeys(one.pod_selector for one in found if one.pod_selector))
    queries = event_queries(workloads if request.shows("workloads") else {}, every, client.now())
    pods, pod_errors, events = _second_round(client, request, selectors, queries)
    rows = merged(one.table for one in found) if request.shows("workloads") else []
    shown = [*rows, *pods, *(_only(table, belongs(every, workloads)) for table in hpas)]
    return TablesRead(tuple(shown), workloads, every, selectors, events, (*errors, *hpa_errors, *pod_errors))


def _named(client: Client, target: Target, answer: Json | MlscaleError) -> _NamedWorkload:
    """One workload's row and object, and the label selector of its pods."""
    try:
        if isinstance(answer, MlscaleError):
            raise answer
        selector = _own_selector(answer["rows"][0]["object"])
        if selector is None:
            selector = str((client.get(target.path("scale")).get("status") or {}).get("selector") or "")
    except ApiNotFoundError as error:
        raise explain_not_found(client, target) from error
    return _NamedWorkload(KindTable("workloads", target.kind, answer), selector)


def _own_selector(workload: Json) -> str | None:
    """spec.selector as text; None where it is no selector of a known form and /scale has to tell."""
    selector = (workload.get("spec") or {}).get("selector")
    if not isinstance(selector, dict) or not selector:
        return None
    if all(isinstance(value, str) for value in selector.values()):
        return ",".join(f"{key}={value}" for key, value in selector.items())
    labels = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return ",".join([*labels, *map(_requirement, selector.get("matchExpressions") or ())])


def _requirement(expression: Json) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator == "Exists":
        return str(key)
    if operator == "DoesNotExist":
        return f"!{key}"
    return f"{key} {operator.lower()} ({','.join(expression.get('values') or ())})"


def _second_round(
    client: Client, request: StatusRequest, selectors: Sequence[str], queries: Sequence[str]
) -> tuple[list[KindTable], list[MlscaleError], EventsRead]:
    """The pods of ``selectors`` as one Table, beside the events of ``queries``."""
    namespace, include = request.targets[0].namespace, pod_include(request)
    shown = selectors if request.shows("pods") else ()
    pods = [Listing("pods", POD, namespace, include, label_query(selector)) for selector in shown]
    asks = [*(listing.page() for listing in pods), *(ask_events(namespace, query) for query in queries)]
    answers = client.in_one_round(asks) if asks else []
    tables, errors = _sorted_out(map(partial(first_page, client), pods, answers[: len(pods)]))
    if len(tables) > 1:
        # A pod that two selectors match is shown once, so their lists are needed whole.
        tables, more = _sorted_out(client.together(*[table.whole for table in tables]))
        tables, errors = merged(tables), [*errors, *more]
    if request.shows("pods"):
        tables = tables or [KindTable("pods", POD, {})]
    return tables, errors, events_read(queries, answers[len(pods) :])


def _read_hpas_named(client: Client, request: StatusRequest) -> TablesRead:
    """``--only hpa NAME``: the HPAs that target it, and the one that is called so, which is what kubectl reads."""
    namespace = request.targets[0].namespace
    [table] = read_listings(client, [Listing("hpa", HPA, namespace, "Object")])
    if isinstance(table, MlscaleError):
        raise table
    keys: dict[tuple[str, str], None] = {}
    errors: list[MlscaleError] = []
    for target in request.targets:
        called = {key for key in map(row_key, table.rows) if key[1] == target.name}
        found = belongs(table.objects, [target]) | called
        keys.update(dict.fromkeys(key for key in map(row_key, table.rows) if key in found))
        if not found:
            errors.append(_no_such_hpa(target, [key[1] for key in map(row_key, table.rows)]))
    rows = {row_key(row): row for row in table.rows}
    shown = table.with_rows(rows[key] for key in keys)
    return TablesRead((shown,), hpas=tuple(table.objects), errors=tuple(errors))


def _no_such_hpa(target: Target, names: list[str]) -> NotFoundError:
    message = f'no HPA targets {target.printed} or is called "{target.name}" in namespace "{target.namespace}"'
    return NotFoundError(message, did_you_mean(target.name, names))


def _sorted_out(outcomes: Iterable[T | MlscaleError]) -> tuple[list[T], list[MlscaleError]]:
    read: list[T] = []
    errors: list[MlscaleError] = []
    for outcome in outcomes:
        if isinstance(outcome, MlscaleError):
            errors.append(outcome)
        else:
            read.append(outcome)
    return read, errors
