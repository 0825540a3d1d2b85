"""Raw watches: which events a script of changes makes, in which form, and how a watch starts and ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import METADATA, TABLE, Player, Send, case, delete, get, patch, post
from tests.contract.masks import masked
from tests.contract.written import MAPS, PODS, pod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.api import Api
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

ONE = f"{MAPS}/w"
LABELLED = {"metadata": {"name": "w", "labels": {"a": "b"}}}
CREATED = post(MAPS, LABELLED)
CHANGED = patch(ONE, {"data": {"x": "1"}})
UNLABELLED = patch(ONE, {"metadata": {"labels": {"a": "c"}}})
LABELLED_AGAIN = patch(ONE, {"metadata": {"labels": {"a": "b"}}})
GONE = delete(ONE)
LAST = post(f"{MAPS}", {"metadata": {"name": "end", "labels": {"a": "b"}}})
END = '"end"'
"""Every watch here sees this object last."""


@dataclass(frozen=True)
class Watched:
    """A watch, the changes that are made once it is open, and the last event that it is read to."""

    name: str
    query: str
    changes: tuple[Send, ...] = (LAST,)
    before: tuple[Send, ...] = ()
    path: str = MAPS
    accept: str = "application/json"
    until: str = END
    cleared: tuple[str, ...] = (f"{MAPS}/end",)
    headers: Mapping[str, str] = field(default_factory=dict)


SCRIPT = (CREATED, CHANGED, GONE, LAST)
WATCHES = [
    Watched("from a version", "resourceVersion={version}", SCRIPT),
    Watched("from a version, with bookmarks", "resourceVersion={version}&allowWatchBookmarks=true", SCRIPT),
    Watched("as a Table", "resourceVersion={version}", SCRIPT, accept=TABLE),
    Watched(
        "as a Table without objects",
        "resourceVersion={version}&includeObject=None",
        SCRIPT,
        accept=TABLE,
        until='["end"',
    ),
    Watched("as metadata", "resourceVersion={version}", SCRIPT, accept=METADATA),
    Watched(
        "a label that comes and goes",
        "resourceVersion={version}&labelSelector=a%3Db",
        (CREATED, UNLABELLED, CHANGED, LABELLED_AGAIN, GONE, LAST),
    ),
    Watched(
        "a label that is lost, then deleted",
        "resourceVersion={version}&labelSelector=a%3Db",
        (CREATED, UNLABELLED, GONE, LAST),
    ),
    Watched("one name", "resourceVersion={version}&fieldSelector=metadata.name%3Dend", SCRIPT),
    Watched("from nothing", "labelSelector=a%3Db", (CHANGED, GONE, LAST), before=(CREATED,)),
    Watched(
        "from nothing, with bookmarks",
        "allowWatchBookmarks=true&labelSelector=a%3Db",
        (CHANGED, GONE, LAST),
        before=(CREATED,),
    ),
    Watched("from version 0", "resourceVersion=0&labelSelector=a%3Db", (CHANGED, GONE, LAST), before=(CREATED,)),
    Watched(
        "from the initial events",
        "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=a%3Db",
        (CHANGED, GONE, LAST),
        before=(CREATED,),
    ),
    Watched(
        "from no initial events",
        "sendInitialEvents=false&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion={version}",
        SCRIPT,
    ),
    Watched(
        "a pod that ends",
        "resourceVersion={version}",
        (
            post(PODS, pod("w")),
            patch(f"{PODS}/w", {"metadata": {"labels": {"x": "y"}}}),
            delete(f"{PODS}/w"),
            post(PODS, pod("end")),
        ),
        path=PODS,
        cleared=(f"{PODS}/end",),
    ),
    Watched("a dry run, which is none", "resourceVersion={version}", (post(f"{MAPS}?dryRun=All", LABELLED), LAST)),
    Watched(
        "a change of nothing, which is none",
        "resourceVersion={version}",
        (patch(ONE, {"data": {}}), LAST),
        before=(CREATED,),
        cleared=(f"{MAPS}/end", ONE),
    ),
]

REFUSALS = [
    case("a version in words", get(f"{MAPS}?watch=true&resourceVersion=x&timeoutSeconds=1")),
    case(
        "a version that is too old",
        get(f"{MAPS}?watch=true&resourceVersion=1&timeoutSeconds=1"),
        differs="how-far-back-a-watch-goes",
    ),
    case("initial events without a match", get(f"{MAPS}?watch=true&sendInitialEvents=true&timeoutSeconds=1")),
    case(
        "a match without initial events", get(f"{MAPS}?watch=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1")
    ),
    case("a selector that is none", get(f"{MAPS}?watch=true&labelSelector=a%3D%3D%3Db")),
    case("a field that is none", get(f"{MAPS}?watch=true&fieldSelector=data.x%3D1")),
    case(
        "a form that is none",
        get(f"{MAPS}?watch=true&timeoutSeconds=1", "text/html"),
        differs="protobuf-is-read-and-not-written",
    ),
    case("a time-out in words", get(f"{MAPS}?watch=true&timeoutSeconds=x")),
]


def seen(api: Api, namespace: str, watched: Watched) -> list[Json]:
    """The events of one side, masked."""
    player = Player(api, namespace)
    made = [player.send(send) for send in watched.before]
    player.send(get("/api/v1/namespaces/{ns}/limitranges"))
    assert all(reply.status < 300 for reply in made), made
    try:
        with api.opened(
            player.filled(f"{watched.path}?watch=true&{watched.query}"), {"Accept": watched.accept}
        ) as lines:
            for send in watched.changes:
                player.send(send)
            events = []
            for line in lines:
                events.append(json.loads(line))
                if watched.until in line:
                    break
    finally:
        for path in watched.cleared:
            player.send(delete(path))
    return [masked(event, namespace) for event in events]


@pytest.mark.parametrize("watched", WATCHES, ids=lambda watched: watched.name)
def test_events(stage: Stage, watched: Watched) -> None:
    theirs, ours = (seen(api, stage.namespace, watched) for api in stage.apis)
    assert ours == theirs
    assert theirs


@pytest.mark.parametrize("one", REFUSALS, ids=lambda one: one.name)
def test_refusal(stage: Stage, one: Case) -> None:
    stage.check(one)


ENDS = [
    case("plain", get(f"{MAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dkube-root-ca.crt")),
]


@pytest.mark.parametrize("one", ENDS, ids=lambda one: one.name)
def test_a_watch_ends_in_time(stage: Stage, one: Case) -> None:
    """After timeoutSeconds, with what had happened until then: here the certificate is there, and nothing else."""
    stage.check(one)
