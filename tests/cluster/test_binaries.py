"""Building the programs: once, also by two builders at a time, and with a clear word where it cannot be done."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cluster import binaries

if TYPE_CHECKING:
    from pathlib import Path

# Stands in for Go: writes down each call, answers what the build asks, and makes an executable of each -o.
GO = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
env) echo "{version}" ;;
build)
    {build}
    while [ "$1" != -o ]; do shift; done
    echo "#!/bin/sh" > "$2"; chmod +x "$2" ;;
mod) echo '{{"Dir": "{module}"}}' ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The list of calls of a Go that works; the cache is empty."""
    install_go(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("MLSCALE_CLUSTER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "calls"


def install_go(tmp_path: Path, version: str = "go1.26.8", build: str = ":") -> None:
    for folder in ("manifests/base", "kustomize/metrics/resource", "kustomize/metrics/usage"):
        (tmp_path / "module" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "module" / folder / "kustomization.yaml").touch(mode=0o400)
    script = GO.format(calls=tmp_path / "calls", module=tmp_path / "module", version=version, build=build)
    go = tmp_path / "path" / "go"
    go.parent.mkdir(exist_ok=True)
    go.write_text(script, encoding="utf-8")
    go.chmod(0o755)


def builds(calls: Path) -> list[str]:
    lines = calls.read_text(encoding="utf-8").splitlines()
    return sorted(line.split()[-1] for line in lines if line.startswith("build "))


def silent(_line: str) -> None:
    """Progress that nobody reads."""


EVERY_PACKAGE = sorted(program.package for program in binaries.PROGRAMS)


def test_a_second_builder_finds_everything_built(calls: Path) -> None:
    said: list[str] = []
    folder = binaries.ensure_binaries(said.append)
    first = len(said)
    assert binaries.ensure_binaries(said.append) == folder
    assert builds(calls) == EVERY_PACKAGE
    assert (first, len(said)) == (1 + len(binaries.PROGRAMS), first)
    assert not binaries.missing_programs(folder)


def test_two_builders_at_a_time_build_each_program_once(calls: Path, tmp_path: Path) -> None:
    install_go(tmp_path, build="sleep 0.05")
    command = [sys.executable, "-m", "tests.cluster", "build"]
    both = [subprocess.Popen(command, cwd=binaries.MODULES.parents[2], stdout=subprocess.PIPE) for _ in range(2)]
    answers = {builder.communicate(timeout=60)[0] for builder in both}
    assert [builder.returncode for builder in both] == [0, 0]
    assert len(answers) == 1
    assert builds(calls) == EVERY_PACKAGE


def test_a_build_that_was_cut_short_goes_on_where_it_ended(calls: Path) -> None:
    folder = binaries.ensure_binaries(silent)
    (folder / "bin" / "kubectl").unlink()
    calls.unlink()
    binaries.ensure_binaries(silent)
    assert builds(calls) == ["k8s.io/kubernetes/cmd/kubectl"]


def test_manifests_of_the_read_only_module_cache_become_writable(calls: Path) -> None:
    folder = binaries.ensure_binaries(silent)
    assert (folder / "manifests" / "metrics-server" / "kustomization.yaml").stat().st_mode & 0o200


def test_a_failed_build_says_what_the_compiler_said_and_leaves_no_program(calls: Path, tmp_path: Path) -> None:
    install_go(tmp_path, build="echo undefined: frobnicate >&2; exit 1")
    with pytest.raises(binaries.ClusterError, match="undefined: frobnicate"):
        binaries.ensure_binaries(silent)
    assert list((binaries.cache_folder() / "bin").iterdir()) == []


def test_a_go_that_is_too_old_is_refused_before_anything_is_built(calls: Path, tmp_path: Path) -> None:
    install_go(tmp_path, version="go1.25.9")
    with pytest.raises(binaries.ClusterError, match=r"go1\.25\.9 is too old; .* needs Go 1\.26"):
        binaries.ensure_binaries(silent)
    assert builds(calls) == []


def test_where_go_is_missing_the_reason_says_what_would_help(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert binaries.why_unavailable() == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    needed = ".".join(map(str, binaries.required_go()))
    assert f"needs Go {needed} or newer" in binaries.why_unavailable()


def test_binaries_that_are_cached_need_no_go(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries.ensure_binaries(silent)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binaries.why_unavailable() == ""


def test_kubernetes_gets_its_version_from_what_is_pinned() -> None:
    version = binaries.pinned_version("kubernetes", "k8s.io/kubernetes")
    assert f"gitVersion={version} " in binaries.build_flags("kubernetes")[-1]
    assert "gitVersion" not in binaries.build_flags("etcd")[-1]
