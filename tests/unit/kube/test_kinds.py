"""Words for kinds as kubectl reads them, and the URL paths of objects."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import (
    BUILT_IN,
    DEPLOYMENT,
    HPA,
    NAMESPACE,
    NODE,
    POD,
    REPLICASET,
    REPLICATIONCONTROLLER,
    STATEFULSET,
    Kind,
    built_in_kind,
    quote_segment,
)

WORDS: list[tuple[str, Kind | None]] = [
    ("deployment", DEPLOYMENT),
    ("deployments", DEPLOYMENT),
    ("deploy", DEPLOYMENT),
    ("Deployment", DEPLOYMENT),
    ("DEPLOY", DEPLOYMENT),
    ("deployments.apps", DEPLOYMENT),
    ("deployment.apps", DEPLOYMENT),
    ("deploy.apps", DEPLOYMENT),
    ("deployments.v1.apps", DEPLOYMENT),
    ("sts", STATEFULSET),
    ("statefulset", STATEFULSET),
    ("rs", REPLICASET),
    ("rc", REPLICATIONCONTROLLER),
    ("replicationcontrollers", REPLICATIONCONTROLLER),
    ("replicationcontrollers.v1", REPLICATIONCONTROLLER),
    ("po", POD),
    ("pods", POD),
    ("hpa", HPA),
    ("hpa.autoscaling", HPA),
    ("horizontalpodautoscalers.v2.autoscaling", HPA),
    ("no", NODE),
    ("ns", NAMESPACE),
    ("deployments.extensions", None),
    ("deployments.v1beta1.apps", None),
    ("hpa.v1.autoscaling", None),
    ("pods.apps", None),
    ("deploys", None),
    ("web", None),
    ("", None),
    (".apps", None),
    ("rollouts.argoproj.io", None),
]


@pytest.mark.parametrize(("word", "kind"), WORDS)
def test_a_word_names_a_built_in_kind(word: str, kind: Kind | None) -> None:
    assert built_in_kind(word) is kind


@pytest.mark.parametrize("kind", BUILT_IN)
def test_every_built_in_kind_answers_to_each_of_its_names(kind: Kind) -> None:
    for word in (kind.plural, kind.singular, kind.kind, *kind.short_names, kind.resource, kind.printed):
        assert built_in_kind(word) is kind


def test_no_short_name_is_taken_twice() -> None:
    words = [word for kind in BUILT_IN for word in {kind.plural, kind.singular, *kind.short_names}]
    assert len(words) == len(set(words))


def test_what_has_a_scale_subresource() -> None:
    scalable = {kind for kind in BUILT_IN if kind.scalable}
    assert scalable == {DEPLOYMENT, STATEFULSET, REPLICASET, REPLICATIONCONTROLLER}


PRINTED = [
    (DEPLOYMENT, "apps/v1", "deployments.apps", "deployment.apps"),
    (POD, "v1", "pods", "pod"),
    (HPA, "autoscaling/v2", "horizontalpodautoscalers.autoscaling", "horizontalpodautoscaler.autoscaling"),
]


@pytest.mark.parametrize(("kind", "api_version", "resource", "printed"), PRINTED)
def test_how_a_kind_is_written(kind: Kind, api_version: str, resource: str, printed: str) -> None:
    assert (kind.api_version, kind.resource, kind.printed) == (api_version, resource, printed)


PATHS = [
    (DEPLOYMENT.path("ns", "web"), "/apis/apps/v1/namespaces/ns/deployments/web"),
    (DEPLOYMENT.path("ns", "web", "scale"), "/apis/apps/v1/namespaces/ns/deployments/web/scale"),
    (DEPLOYMENT.path("ns"), "/apis/apps/v1/namespaces/ns/deployments"),
    (DEPLOYMENT.path(None), "/apis/apps/v1/deployments"),
    (POD.path("ns", "a"), "/api/v1/namespaces/ns/pods/a"),
    (NODE.path("ns", "n1"), "/api/v1/nodes/n1"),
    (NAMESPACE.path(None, "ns"), "/api/v1/namespaces/ns"),
    (DEPLOYMENT.path("ns", "../../../api/v1/secrets"), None),
    (DEPLOYMENT.path("a/../b", "web?x=1#y"), None),
]


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_the_path_of_an_object(path: str, expected: str | None) -> None:
    if expected is not None:
        assert path == expected
    # A name stays one segment: /apis/apps/v1/namespaces/NS/deployments/NAME has seven.
    else:
        assert len(path.split("/")) == 8
        assert urlsplit(path).path == path


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_segment_cannot_leave_its_place(text: str) -> None:
    quoted = quote_segment(text)
    assert unquote(quoted) == text
    assert not set(quoted) & set("/?#\\ %") - {"%"}
    assert quoted not in (".", "..")
    assert quoted.isascii()
