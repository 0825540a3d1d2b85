"""Forms of an answer; the expected ones are what Kubernetes 1.37.2 answers to the same headers."""

from __future__ import annotations

import pytest

from mlscale.sandbox.server.negotiation import JSON, YAML, Form, read_form
from mlscale.sandbox.statuses import StatusError

PROTOBUF = "application/vnd.kubernetes.protobuf"
META = "v=v1;g=meta.k8s.io"
CASES = {
    "": Form(),
    "*/*": Form(),
    JSON: Form(),
    "application/json; charset=utf-8": Form(),
    "text/html,application/json;q=0.9": Form(),
    YAML: Form(YAML),
    "application/yaml;q=0.5,application/json;q=0.9": Form(JSON),
    f"{PROTOBUF},{JSON}": Form(),
    f"application/json;as=Table;{META},application/json": Form(JSON, "Table", "v1"),
    "application/json;as=Table;g=meta.k8s.io;v=v1beta1": Form(JSON, "Table", "v1beta1"),
    f"{PROTOBUF};as=PartialObjectMetadata;{META},application/json;as=PartialObjectMetadata;{META}": Form(
        JSON, "PartialObjectMetadata", "v1"
    ),
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json": Form(
        JSON, "APIGroupDiscoveryList", "v2"
    ),
    "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json": Form(),
}


@pytest.mark.parametrize(("accept", "expected"), CASES.items(), ids=CASES)
def test_accept(accept: str, expected: Form) -> None:
    assert read_form({"accept": accept}, {}) == expected


@pytest.mark.parametrize("accept", ["text/plain", "application/*", PROTOBUF, f"application/json;as=Foo;{META}"])
def test_what_cannot_be_written(accept: str) -> None:
    with pytest.raises(StatusError) as refused:
        read_form({"accept": accept}, {})
    assert (refused.value.code, refused.value.reason) == (406, "NotAcceptable")


def test_a_watch_is_not_written_as_yaml() -> None:
    assert read_form({"accept": YAML}, {}).media_type == YAML
    with pytest.raises(StatusError, match="only the following media types are accepted"):
        read_form({"accept": YAML}, {}, watch=True)


@pytest.mark.parametrize(
    ("agent", "query", "pretty"),
    [
        ("curl/8.5.0", {}, True),
        ("Wget/1.21", {}, True),
        ("Mozilla/5.0 (X11)", {}, True),
        ("Mozilla/5", {}, False),
        ("kubectl/v1.37.2", {}, False),
        ("kubectl/v1.37.2", {"pretty": "true"}, True),
        ("curl/8.5.0", {"pretty": "false"}, False),
    ],
)
def test_people_read_several_lines(agent: str, query: dict[str, str], pretty: bool) -> None:
    assert read_form({"user-agent": agent}, query).pretty is pretty
