"""Objects from files, as kubectl's -f reads them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from mlscale.errors import UsageError
from mlscale.kube.manifests import read_manifests

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME}\n"


def text(name: str) -> str:
    return OBJECT.replace("NAME", name)


def names(*filenames: str, recursive: bool = False, stdin: str = "") -> list[str]:
    objects = read_manifests(filenames, recursive=recursive, stdin=io.StringIO(stdin))
    return [item["metadata"]["name"] for item in objects]


def as_json(name: str, **more: object) -> str:
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, **more}}, indent="\t")


CONTENTS = [
    (text("a"), ["a"]),
    (f"{text('a')}---\n{text('b')}", ["a", "b"]),
    (f"---\n---\n{text('a')}---\n# nothing\n---\n", ["a"]),
    (as_json("a"), ["a"]),
    (f"\ufeff{text('a')}", ["a"]),
    (f'{{"apiVersion":"v1","kind":"List","items":[{as_json("a")},{as_json("b")}]}}', ["a", "b"]),
    ("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [" + as_json("x") + "]}\n", ["x"]),
    # A date is text, as it is to kubectl: PyYAML would make an object of it, and fail on 30 February.
    (as_json("a").replace('"a"', "2024-01-01"), ["2024-01-01"]),
    (text("a") + "x: 2024-02-30\ny: 2024-02-30T99:00:00Z\n", ["a"]),
]


@pytest.mark.parametrize(("content", "expected"), CONTENTS)
def test_objects_of_a_file_and_of_standard_input(tmp_path: Path, content: str, expected: list[str]) -> None:
    path = tmp_path / "objects"
    path.write_text(content, encoding="utf-8")
    assert names(str(path)) == expected
    assert names("-", stdin=content) == expected


def test_values_stay_as_json_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text("a") + "spec: {replicas: 3, day: 2024-01-01, on: 'yes'}\n")
    (read,) = read_manifests([str(tmp_path / "a.yaml")], recursive=False, stdin=io.StringIO())
    assert json.loads(json.dumps(read["spec"])) == {"replicas": 3, "day": "2024-01-01", "true": "yes"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.yml", "c.json", "a/1.yaml", "a-b/2.yaml", "z/deep/3.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        stem = name.partition(".")[0].replace("/", "-")
        path.write_text(as_json(stem) if name.endswith("json") else text(stem))
    (tmp_path / "notes.txt").write_text("not an object")
    (tmp_path / "A.YAML").write_text("not an object either")
    return tmp_path


def test_a_directory_gives_its_files_in_order(directory: Path) -> None:
    assert names(str(directory)) == ["a", "b", "c"]


def test_a_directory_and_those_in_it_in_the_order_of_a_walk(directory: Path) -> None:
    # By whole paths "a-b/2.yaml" would come before "a/1.yaml", since "-" sorts before "/".
    assert names(str(directory), recursive=True) == ["a-1", "a-b-2", "a", "b", "c", "z-deep-3"]


def test_several_files_keep_their_order(directory: Path) -> None:
    assert names(str(directory / "b.yaml"), str(directory / "a.yml")) == ["b", "a"]


BAD = [
    ("", "FILE holds no objects; it must hold Kubernetes objects as YAML or JSON"),
    ("---\n", "FILE holds no objects"),
    ("just text", "FILE holds something that is no object"),
    ("- a\n- b\n", "FILE holds something that is no object"),
    ("a: 1\n b: 2\n", "FILE is not YAML or JSON at line 2: mapping values are not allowed in this context; mend"),
    ("kind: [unclosed", "FILE is not YAML or JSON at line "),
    ("a: \x00", "FILE is not YAML or JSON"),
    ("kind: Deployment\n", "an object in FILE lacks apiVersion or kind"),
    ("apiVersion: v1\nkind: 3\n", "an object in FILE lacks apiVersion or kind"),
    ("apiVersion: v1\nkind: Pod\n", "a Pod in FILE has no metadata.name"),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\n", "a Pod in FILE has no metadata.name"),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: ''}\n", "a Pod in FILE has no metadata.name"),
    ("apiVersion: v1\nkind: Pod\nmetadata: [name]\n", "a Pod in FILE has no metadata.name"),
    (as_json("a", namespace=12), "metadata.namespace of an object in FILE is no text; put it in quotes"),
    ("apiVersion: v1\nkind: P\x1b\n", "FILE is not YAML or JSON"),
    ("items: &a\n- items: *a\n", "FILE is not YAML or JSON: it does not parse"),
    ("[" * 20_000, "FILE is not YAML or JSON"),
    ("x: .inf\n", "FILE is not YAML or JSON at line 1: .inf is no number to JSON"),
    ("!!python/object/apply:os.system ['true']", "FILE is not YAML or JSON"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_file_without_usable_objects_is_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        names(str(path))
    assert message.replace("FILE", str(path)) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="standard input"):
        names("-", stdin=content)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'the path ".*/none\.yaml" does not exist; give a file, a directory or -'):
        names(str(tmp_path / "none.yaml"))


def test_a_url_is_refused() -> None:
    with pytest.raises(UsageError, match="is a URL; download it first"):
        names("https://example.org/a.yaml")


def test_a_directory_without_manifests_says_about_recursion(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_text(text("a"))
    with pytest.raises(UsageError, match=r"or give -R to look into its directories"):
        names(str(tmp_path))
    with pytest.raises(UsageError, match=r"check the directory$"):
        names(str(tmp_path / "sub" / ".."), str(_empty(tmp_path)), recursive=True)


def _empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty"
    path.mkdir()
    return path


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"cannot read .*: it is not UTF-8 text; give a YAML or JSON file"):
        names(str(tmp_path / "a.yaml"))
