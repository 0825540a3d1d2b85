from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import ConfigError
from mlscale.kube import kubeconfig_file
from mlscale.kube.kubeconfig_file import Entry, read_kubeconfig
from tests.unit.kube.kubeconfigs import encoded, kubeconfig, written

if TYPE_CHECKING:
    from pathlib import Path


def message(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_kubeconfig([str(path)])
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1\nb: 2", "FILE, line 2, column 2: broken YAML: did not find expected ',' or ']'"),
        ("users:\n\t- name: x", "FILE, line 2, column 1: broken YAML: found character that cannot start any token"),
        ("token: hunter2: x", "FILE, line 1, column 15: broken YAML: mapping values are not allowed in this context"),
        (
            "password: *hunter2",
            "FILE, line 1, column 11: broken YAML: found undefined alias (quote a value that starts with *, & or !)",
        ),
        (
            "password: !hunter2 x",
            "FILE, line 1, column 11: broken YAML: could not determine a constructor for the tag "
            "(quote a value that starts with *, & or !)",
        ),
        ("a: !!int hunter2", "FILE: broken YAML: it holds a character or a value that YAML does not have"),
        ("a: \x00hunter2", "FILE: broken YAML: it holds a character or a value that YAML does not have"),
        ("[" * 5000, "FILE: broken YAML: it holds a character or a value that YAML does not have"),
        ("hunter2", "FILE is no kubeconfig: it holds text"),
        ("- hunter2", "FILE is no kubeconfig: it holds a list"),
        ("kind: Pod\napiVersion: v1", "FILE is no kubeconfig; one has apiVersion: v1 and kind: Config"),
        ("users: {name: hunter2}", "users in FILE is a mapping; it must be a list"),
        ("users: [hunter2]", "user 1 in FILE is text; it must be a mapping"),
        ("users: [{name: u, user: hunter2}]", 'user "u" in FILE is text; it must be a mapping'),
        ("users: [{name: 12}]", "name of user 1 in FILE is a number; it must be a string: put it in quotes"),
        ("users: [{name: u}, {name: u}]", 'users in FILE holds "u" twice; remove one of them'),
        (
            "current-context: 7",
            "current-context of the file in FILE is a number; it must be a string: put it in quotes",
        ),
    ],
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_a_broken_file_is_named_with_the_place_and_never_quoted(
    tmp_path: Path, text: str, expected: str, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    if loader == "SafeLoader":
        monkeypatch.delattr(yaml, "CSafeLoader")
    path = tmp_path / "config"
    path.write_text(text)

    got = message(path)

    assert "hunter2" not in got
    if loader == "CSafeLoader" and not text.startswith("[["):
        assert got == expected
    else:  # the parsers word some errors in other ways
        assert got.startswith("FILE") == expected.startswith("FILE")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"a: \xff")

    assert message(binary) == "FILE is no kubeconfig: byte 3 is not UTF-8"
    assert message(tmp_path) == "cannot read the kubeconfig FILE: Is a directory"


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "users: null\nclusters:\n", "---\n"])
def test_an_empty_file_is_an_empty_kubeconfig(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)

    got = read_kubeconfig([str(tmp_path / "config")])

    assert (got.contexts, got.clusters, got.users, got.current_context) == ({}, {}, {}, "")


def test_a_name_that_looks_like_a_date_is_a_name(tmp_path: Path) -> None:
    # yaml.safe_load makes a datetime.date of it; Go's YAML, so kubectl, does not.
    (tmp_path / "config").write_text("current-context: 2026-01-31\nusers: [{name: 2026-01-31}]")

    got = read_kubeconfig([str(tmp_path / "config")])

    assert got.current_context == "2026-01-31"
    assert list(got.users) == ["2026-01-31"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda entry: entry.text("none"), ""),
        (lambda entry: entry.text("null"), ""),
        (lambda entry: entry.flag("none"), False),
        (lambda entry: entry.texts("null"), ()),
        (lambda entry: entry.path("none"), ""),
        (lambda entry: entry.part("null", "the part"), None),
        (lambda entry: entry.path("relative"), "/folder/pki/ca.crt"),
        (lambda entry: entry.path("absolute"), "/pki/ca.crt"),
        (lambda entry: entry.decoded("wrapped"), b"hunter2"),
    ],
)
def test_reading_an_entry(call: Any, expected: object) -> None:
    wrapped = encoded("hunter2")
    fields = {
        "null": None,
        "relative": "pki/ca.crt",
        "absolute": "/pki/ca.crt",
        "wrapped": f"{wrapped[:4]}\n{wrapped[4:]}\n",
    }

    assert call(Entry("the entry", "e", "/folder/config", fields)) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("hunter2"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("x"), inner),
    max_leaves=4,
)


@given(VALUES, st.sampled_from(["text", "flag", "texts", "path", "decoded", "part"]))
def test_whatever_the_value_a_reader_gives_its_type_or_a_clear_error(value: object, reader: str) -> None:
    entry = Entry("the entry", "e", "/folder/config", {"key": value})
    arguments = ("key", "the part") if reader == "part" else ("key",)

    try:
        got: object = getattr(entry, reader)(*arguments)
    except ConfigError as error:
        got = str(error)
        clear = got.startswith("key of the entry in /folder/config is ") and "hunter2" not in got
    else:
        clear = isinstance(got, str | bool | tuple | bytes | Entry | None)

    assert clear, got


def test_the_merge_keeps_the_first_of_each_name(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / "1", kubeconfig(user={"token": "1"}, clusters=[])),
        written(tmp_path / "2", kubeconfig(user={"token": "2"}, current_context="z")),
    ]

    got = read_kubeconfig([*paths, str(tmp_path / "missing")])

    assert got.users["u"].fields == {"token": "1"}
    assert got.clusters["c"].file == paths[1]
    assert got.current_context == "a"
    assert got.files == tuple(paths)


def test_a_big_kubeconfig_is_read_fast(tmp_path: Path) -> None:
    # 100 clusters with 6 KB of certificates each. The parser in Python takes seconds for it.
    pytest.importorskip("yaml._yaml")
    block = encoded("x" * 1500)
    items = "".join(
        f"- name: u{n}\n  user:\n    client-certificate-data: {block}\n    client-key-data: {block}\n"
        for n in range(150)
    )
    path = tmp_path / "config"
    path.write_text(f"apiVersion: v1\nkind: Config\nusers:\n{items}")
    started = time.process_time()

    got = kubeconfig_file.read_kubeconfig([os.fspath(path)])

    assert len(got.users) == 150
    assert time.process_time() - started < 0.5
