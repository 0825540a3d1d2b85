"""The short reader of YAML gives what PyYAML gives, or leaves the text to it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlscale.kube.kubeconfig_file import _loader
from mlscale.kube.plain_yaml import NotPlainError, read_plain_yaml

KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM0==
    insecure-skip-tls-verify: false
    server: https://127.0.0.1:32764
  name: kind-one
contexts:
- context:
    cluster: kind-one
    namespace: ml
    user: kind-one
  name: admin@kind-one
current-context: admin@kind-one
kind: Config
preferences: {}
# A comment, and an empty line

users:
- name: kind-one
  user:
    client-certificate: /home/me/.certs/one.crt
    token: "0123456789"
- name: 'plugin'
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - token
      - get-token
      command: aws
      env: null
      provideClusterInfo: true
"""


def by_library(text: str) -> Any:
    return yaml.load(text, _loader())  # noqa: S506


def test_a_kubeconfig_as_kubectl_writes_it_is_read() -> None:
    found = read_plain_yaml(KUBECONFIG)
    assert found == by_library(KUBECONFIG)
    assert isinstance(found, dict)
    assert found["users"][0]["user"]["token"] == "0123456789"
    assert found["users"][1]["user"]["exec"]["args"] == ["token", "get-token"]


@pytest.mark.parametrize(
    "text",
    [
        "", "# nothing", "a", "- a\nb: 1", "a: 1", "a: 1.5", "a: 0x1f", "a: 1e3", "a: 1:30", "a: 127.0.0.1:6443",
        "a: yes", "a: Off", "a: True", "a: ~", "a: .inf", "yes: a", "1: a", "a: &b c", "a: *b", "a: !!str 1",
        "a: |\n  b", "a: >\n  b", "a: b\n  c", "a: b # c", "a: b: c", "a: b:", "a: [b]", "a: {b: c}", "{a: b}",
        'a: "b\\n"', "a: 'it''s'", 'a: "b', "a: \tb", "\ta: b", "a: b\r\n", "a: ü", "a: b\n---\na: c", "a: b\n...",
        "%YAML 1.1\n---\na: b", "a: b\na: c", "? a\n: b", "- - a", "-", "-\n  a: b", "a:\n  b: c\n d: e", "a:b",
        "a: @b", "a: `b`", "a: - b", "a: <<", "<<: a", "a: =", "a b: c", "  a: b\nc: d", "- a\n  b", "a: -b",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_library(text: str) -> None:
    with pytest.raises(NotPlainError):
        read_plain_yaml(text)


@pytest.mark.parametrize("depth", [100, 20_000])
def test_any_depth_ends(depth: int) -> None:
    text = "\n".join(" " * level + "a:" for level in range(min(depth, 5000)))
    try:
        read_plain_yaml(text)
    except NotPlainError:
        assert depth > 100


WORDS = st.sampled_from(
    ["a", "b-c", "yes", "null", "true", "no", "12", "1e3", "0x1f", "12g", "1:30", "a:b", "a: b", "a #b", "a#b", "/x/y",
     "https://h:1/", "''", '""', "'a'", '"a b"', "{}", "[]", "[a]", "~", "-", "- a", "|", "&a", "*a", "!a", "a b", "=",
     "<<", "#c", "a,b", "a]", "1_0", "0o7", "1.5", "+1", "9_", "Y", "nUll", "010", "09", "a:", "2026-01-31", "x ", "%"]
)  # fmt: skip
LINES = st.builds(
    lambda indent, start, key, value: " " * indent + start + key + value,
    st.integers(0, 4), st.sampled_from(["", "", "- ", "-   ", "-"]),
    st.sampled_from(["", "a: ", "b:", "c-d:  ", "no: "]), WORDS | st.just(""),
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(LINES, max_size=7).map("\n".join))
@example("a:\n- b: c\n  d:\n  - e\n- f\n")
def test_what_is_read_means_the_same_to_the_library(text: str) -> None:
    try:
        found = read_plain_yaml(text)
    except NotPlainError:
        return
    assert found == by_library(text)


TEXTS = st.text(st.sampled_from("ab01:-_/. #'\"{}[],&*!|>%@`~=?\\eyntofus+x"), max_size=8)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400)
@given(st.dictionaries(TEXTS.filter(bool), VALUES, min_size=1, max_size=4))
def test_what_a_library_wrote_is_read_as_it_was_or_left_alone(document: dict[str, Any]) -> None:
    try:
        found = read_plain_yaml(yaml.safe_dump(document))
    except NotPlainError:
        return
    assert found == document
