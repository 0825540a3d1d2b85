"""Kinds that only the server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import NotFoundError
from mlscale.kube.api_errors import ApiNotAllowedError
from mlscale.kube.client import ACCEPT_DISCOVERY
from mlscale.kube.discovery import Kinds, parse_discovery
from mlscale.kube.kinds import DEPLOYMENT, Kind
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


def resource(plural: str, kind: str, *subresources: str, short: list[str] | None = None) -> Json:
    return {
        "resource": plural,
        "responseKind": {"group": "", "kind": kind, "version": ""},
        "scope": "Namespaced",
        "shortNames": short or [],
        "subresources": [{"subresource": name, "verbs": ["get"]} for name in subresources],
    }


def group(name: str, **versions: list[Json]) -> Json:
    listed = [{"version": version, "resources": resources} for version, resources in versions.items()]
    return {"metadata": {"name": name} if name else {}, "versions": listed}


CORE = {"items": [group("", v1=[resource("pods", "Pod"), {**resource("nodes", "Node"), "scope": "Cluster"}])]}
GROUPS = {
    "items": [
        group("apps", v1=[resource("deployments", "Deployment", "scale", "status")]),
        group("argoproj.io", v1alpha1=[resource("rollouts", "Rollout", "scale", short=["ro"])]),
        group(
            "serving.test",
            v2=[resource("models", "Model", "scale")],
            v1=[resource("models", "Model")],
        ),
        group("broken.test"),
    ]
}
ROLLOUT = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", scalable=True, short_names=("ro",))
MODEL = Kind("serving.test", "v2", "Model", "models", scalable=True)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.answers |= {"GET /api": Answer(CORE), "GET /apis": Answer(GROUPS)}
        yield running


FOUND = [
    ("rollouts", ROLLOUT),
    ("rollout", ROLLOUT),
    ("ro", ROLLOUT),
    ("Rollout.argoproj.io", ROLLOUT),
    ("rollouts.v1alpha1.argoproj.io", ROLLOUT),
    # The preferred version comes first.
    ("models", MODEL),
    ("models.v1.serving.test", Kind("serving.test", "v1", "Model", "models")),
    ("rollouts.other.io", None),
    ("nonsense", None),
]


@pytest.mark.parametrize(("word", "kind"), FOUND)
def test_a_word_names_a_served_kind(server: RecordingServer, word: str, kind: Kind | None) -> None:
    assert Kinds(client(server)).find(word) == kind
    assert sorted(server.lines) == ["GET /api", "GET /apis"]
    assert {request.header("Accept") for request in server.requests} == {ACCEPT_DISCOVERY}


def test_a_built_in_kind_asks_nothing(server: RecordingServer) -> None:
    kinds = Kinds(client(server))
    assert kinds.named("deploy") is DEPLOYMENT
    assert kinds.of_object("apps/v1", "Deployment") is DEPLOYMENT
    assert server.requests == []


def test_the_server_is_asked_once(server: RecordingServer) -> None:
    kinds = Kinds(client(server))
    assert [kinds.named("ro"), kinds.named("models"), kinds.find("nope")] == [ROLLOUT, MODEL, None]
    assert len(server.requests) == 2


def test_an_unknown_type_names_what_is_near(server: RecordingServer) -> None:
    with pytest.raises(NotFoundError) as caught:
        Kinds(client(server)).named("rolouts")
    assert str(caught.value) == 'the server has no resource type \'rolouts\'; did you mean "rollouts" or "rollout"?'


def test_an_object_s_kind_is_found_by_what_it_says(server: RecordingServer) -> None:
    kinds = Kinds(client(server))
    assert kinds.of_object("argoproj.io/v1alpha1", "Rollout") == ROLLOUT
    with pytest.raises(NotFoundError, match=r"the server has no kind 'Rollout' in 'argoproj\.io/v2'"):
        kinds.of_object("argoproj.io/v2", "Rollout")


def test_discovery_that_is_refused_is_an_error(server: RecordingServer) -> None:
    server.answers["GET /apis"] = status(403, "forbidden", "Forbidden")
    with pytest.raises(ApiNotAllowedError):
        Kinds(client(server)).named("rollouts")


@pytest.mark.parametrize(
    "answer", [{}, {"items": None}, {"kind": "APIGroupList", "groups": [{"name": "apps"}]}, {"items": [{}]}]
)
def test_a_server_without_aggregated_discovery_serves_no_kind(answer: Json) -> None:
    assert list(parse_discovery(answer)) == []
    assert [kind.namespaced for kind in parse_discovery(CORE)] == [True, False]
