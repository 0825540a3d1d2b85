"""What the words of a command line select, and the errors of words that select nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from mlscale.errors import ExitCode, MlscaleError, NotFoundError, UsageError
from mlscale.kube.api_errors import ApiNotAllowedError
from mlscale.kube.discovery import Kinds
from mlscale.kube.kinds import DEPLOYMENT, NODE, STATEFULSET
from mlscale.kube.targets import (
    Found,
    Selection,
    Target,
    check_selection,
    explain_not_found,
    named_targets,
    read_found,
)
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status
from tests.unit.scale.objects import deployment, listing, not_found, path, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ROLLOUTS = {
    "items": [
        {
            "metadata": {"name": "argoproj.io"},
            "versions": [
                {
                    "version": "v1alpha1",
                    "resources": [
                        {
                            "resource": "rollouts",
                            "responseKind": {"kind": "Rollout"},
                            "scope": "Namespaced",
                            "shortNames": ["ro"],
                            "subresources": [{"subresource": "scale"}],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.answers |= {"GET /api": Answer({}), "GET /apis": Answer(ROLLOUTS)}
        yield running


def found(server: RecordingServer, *args: str, **more: object) -> list[Found | MlscaleError]:
    calling = client(server)
    selection = Selection(args=args, **more)  # type: ignore[arg-type]
    return read_found(calling, Kinds(calling), selection, io.StringIO())


def printed(results: list[Found | MlscaleError]) -> list[str]:
    return [str(r) if isinstance(r, MlscaleError) else f"{r.target.namespace}: {r.target.printed}" for r in results]


# (arguments, targets, whether the server is asked for its types)
NAMED = [
    (["web"], ["deployment.apps/web"], False),
    (["deploy", "web"], ["deployment.apps/web"], False),
    (["deployments.apps", "a", "b"], ["deployment.apps/a", "deployment.apps/b"], False),
    (["deploy/a", "sts/b", "rc/c"], ["deployment.apps/a", "statefulset.apps/b", "replicationcontroller/c"], False),
    (["deploy,sts", "a"], ["deployment.apps/a", "statefulset.apps/a"], False),
    (["rollouts", "a"], ["rollout.argoproj.io/a"], True),
    (["ro/a"], ["rollout.argoproj.io/a"], True),
    (["web", "api"], ["deployment.apps/web", "deployment.apps/api"], True),
    # A type's word after the first place is a name.
    (["web", "deploy"], ["deployment.apps/web", "deployment.apps/deploy"], True),
    (["deploy", "deploy"], ["deployment.apps/deploy"], False),
    # One word that is no built-in type is a name, whatever types the server has.
    (["rollouts"], ["deployment.apps/rollouts"], False),
    (["Bad_Name"], ["deployment.apps/Bad_Name"], False),
]


@pytest.mark.parametrize(("args", "targets", "asks"), NAMED)
def test_names_and_types(server: RecordingServer, args: list[str], targets: list[str], asks: bool) -> None:
    named = named_targets("default", Kinds(client(server)), args)
    assert [target.printed for target in named] == targets
    assert bool(server.requests) is asks


BAD_NAMES = [
    (["deploy"], "'deploy' is a type and no name was given; give a name, or deployment/deploy"),
    (["deploy/a", "b"], "'b' is not TYPE/NAME; with one TYPE/NAME every argument must be one"),
    (["deploy/"], "'deploy/' is not TYPE/NAME"),
    (["/web"], "'/web' is not TYPE/NAME"),
    (["deploy/a/b"], "'deploy/a/b' is not TYPE/NAME"),
    (["deploy", ""], "an empty name was given"),
    ([""], "an empty name was given"),
]


@pytest.mark.parametrize(("args", "message"), BAD_NAMES)
def test_arguments_that_make_no_sense(server: RecordingServer, args: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        named_targets("default", Kinds(client(server)), args)
    assert message in str(caught.value)


def test_an_unknown_type_before_a_slash(server: RecordingServer) -> None:
    with pytest.raises(NotFoundError, match="no resource type 'depoyment'; did you mean \"deployment\""):
        named_targets("default", Kinds(client(server)), ["depoyment/web"])


SELECTIONS: list[tuple[Selection, str | None]] = [
    (Selection(("web",)), None),
    (Selection(("deploy",), every=True), None),
    (Selection(("deploy",), selector="app=web"), None),
    (Selection(filenames=("a.yaml",)), None),
    (Selection(), "no workload was named"),
    (Selection(every=True), "no type was given"),
    (Selection(selector="a=b"), "no type was given"),
    (Selection(("deploy", "web"), every=True), "both a name and --all were given; give names, or a type and --all"),
    (Selection(("deploy/web",), every=True), "both a name and --all were given"),
    (Selection(("deploy", "web"), selector="a=b"), "both a name and -l were given"),
    (Selection(("deploy",), selector="a=b", every=True), "--all and -l were both given"),
    (Selection(("web",), filenames=("a.yaml",)), "-f was given with a name, --all or a selector"),
    (Selection(every=True, filenames=("a.yaml",)), "-f was given with a name, --all or a selector"),
]


@pytest.mark.parametrize(("selection", "message"), SELECTIONS)
def test_a_selection_says_one_thing(selection: Selection, message: str | None) -> None:
    if message is None:
        check_selection(selection)
        return
    with pytest.raises(UsageError) as caught:
        check_selection(selection)
    assert message in str(caught.value)


def test_each_object_is_read_and_a_missing_one_does_not_hide_the_others(server: RecordingServer) -> None:
    serve(server, deployment("web", 2), deployment("api", 1))
    server.answers[f"GET {path('wbe')}"] = not_found("deployments.apps", "wbe")
    results = found(server, "deploy/web", "deploy/wbe", "deploy/api")
    assert printed(results) == [
        "default: deployment.apps/web",
        'deployments.apps "wbe" not found in namespace "default"; did you mean "web"?',
        "default: deployment.apps/api",
    ]
    assert isinstance(results[0], Found)
    assert results[0].object["spec"]["replicas"] == 2
    assert results[0].live


def test_a_mistyped_type_acts_on_nothing(server: RecordingServer) -> None:
    # `statefulst db` must not scale a deployment db.
    serve(server, deployment("db", 2))
    with pytest.raises(NotFoundError) as caught:
        found(server, "statefulst", "db")
    assert "nor is there such a type; nothing was changed; did you mean" in str(caught.value)
    assert "statefulset" in caught.value.hint


def test_a_refused_read_stands_as_its_error(server: RecordingServer) -> None:
    server.answers[f"GET {path('web')}"] = status(403, 'deployments.apps "web" is forbidden', "Forbidden")
    (result,) = found(server, "web")
    assert isinstance(result, ApiNotAllowedError)


def test_a_list_gives_complete_objects_in_its_order(server: RecordingServer) -> None:
    bare = [{k: v for k, v in deployment(name).items() if k not in ("apiVersion", "kind")} for name in ("b", "a")]
    server.answers[f"GET {DEPLOYMENTS}"] = listing(*bare)
    results = found(server, "deploy", selector="tier in (x)")
    assert printed(results) == ["default: deployment.apps/b", "default: deployment.apps/a"]
    assert server.requests[0].query == {"limit": "500", "labelSelector": "tier in (x)"}
    assert all(isinstance(r, Found) and r.object["kind"] == "Deployment" for r in results)


def test_two_types_are_listed_in_their_order(server: RecordingServer) -> None:
    server.answers |= {
        f"GET {DEPLOYMENTS}": listing(deployment("a")),
        "GET /apis/apps/v1/namespaces/default/statefulsets": status(403, "statefulsets is forbidden", "Forbidden"),
    }
    assert printed(found(server, "sts,deploy", every=True)) == [
        "statefulsets is forbidden",
        "default: deployment.apps/a",
    ]


def test_an_empty_list_is_not_found(server: RecordingServer) -> None:
    server.answers |= {f"GET {DEPLOYMENTS}": listing(), "GET /api/v1/namespaces/default": Answer({})}
    with pytest.raises(NotFoundError, match="no deployments in namespace 'default' match -l a=b; nothing was done"):
        found(server, "deploy", selector="a=b")
    server.answers["GET /api/v1/namespaces/default"] = not_found("namespaces", "default")
    server.answers["GET /api/v1/namespaces"] = listing({"metadata": {"name": "defaults"}})
    with pytest.raises(NotFoundError, match=r'namespace "default" not found; did you mean "defaults"\?'):
        found(server, "deploy", every=True)


def test_a_selector_that_the_server_does_not_read_is_a_usage_error(server: RecordingServer) -> None:
    server.answers[f"GET {DEPLOYMENTS}"] = status(400, "unable to parse requirement", "BadRequest")
    with pytest.raises(UsageError, match="'a=b=c' is no label selector: unable to parse requirement"):
        found(server, "deploy", selector="a=b=c")


FILE = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME, namespace: NS}\n---\n"


def test_an_object_of_a_file_is_taken_from_its_own_namespace(server: RecordingServer, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    texts = [FILE.replace("NAME", name).replace("NS", ns) for name, ns in (("a", "prod"), ("b", "''"), ("c", "null"))]
    file.write_text("".join(texts) + "apiVersion: x/v1\nkind: Odd\nmetadata: {name: d}\n")
    results = found(server, filenames=(str(file),))
    assert printed(results) == [
        "prod: deployment.apps/a",
        "default: deployment.apps/b",
        "default: deployment.apps/c",
        "the server has no kind 'Odd' in 'x/v1'; check apiVersion and kind",
    ]
    assert all(isinstance(r, MlscaleError) or not r.live for r in results)


def test_a_namespace_option_must_agree_with_the_file(server: RecordingServer, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FILE.replace("NAME", "a").replace("NS", "prod"))
    with pytest.raises(
        UsageError, match="'a' of the file is in namespace 'prod', not 'default'; give -n prod, or leave"
    ):
        found(server, filenames=(str(tmp_path / "a.yaml"),), namespace_given=True)
    (tmp_path / "b.yaml").write_text(FILE.replace("NAME", "b").replace("NS", "''"))
    assert printed(found(server, filenames=(str(tmp_path / "b.yaml"),), namespace_given=True)) == [
        "default: deployment.apps/b"
    ]


NOT_FOUND = [
    # Where nothing else can be asked, the name and the namespace are what is known.
    ({}, 'deployments.apps "wbe" not found in namespace "default"; check the name and the namespace'),
    ({"rows": [{"cells": ["web"]}, {"cells": ["zzz"]}, {}]}, 'in namespace "default"; did you mean "web"?'),
]


@pytest.mark.parametrize(("table", "message"), NOT_FOUND)
def test_a_missing_object_is_explained(server: RecordingServer, table: dict[str, object], message: str) -> None:
    server.answers["GET /api/v1/namespaces/default"] = status(403, "forbidden", "Forbidden")
    server.answers[f"GET {DEPLOYMENTS}"] = Answer(table) if table else status(403, "forbidden", "Forbidden")
    error = explain_not_found(client(server), Target(DEPLOYMENT, "default", "wbe"))
    assert message in str(error)
    assert error.exit_code == ExitCode.NOT_FOUND


def test_a_missing_object_without_a_namespace(server: RecordingServer) -> None:
    server.answers["GET /api/v1/namespaces/default"] = Answer({})
    error = explain_not_found(client(server), Target(NODE, "default", "n1"))
    assert error.message == 'nodes "n1" not found'


def test_a_target_is_printed_without_escapes() -> None:
    assert Target(STATEFULSET, "ns", "a\x1b[31m").printed == "statefulset.apps/a\\x1b[31m"
    assert Target(STATEFULSET, "ns", "a/b").path("scale") == "/apis/apps/v1/namespaces/ns/statefulsets/a%2Fb/scale"
