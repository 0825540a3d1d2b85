"""The programs of the control plane: pinned Go modules, built once into a cache outside the repository.

Cache layout: ``${MLSCALE_CLUSTER_CACHE:-~/.cache/mlscale}/cluster-<hash>/{bin,manifests}``. The hash covers the
pinned modules and the way they are built, so a change of either builds afresh and leaves the old folder alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
HEARTBEAT_SECONDS = 15
Say = Callable[[str], None]


class ClusterError(Exception):
    """The control plane cannot be built, started or reached; the message says what would help."""


@dataclass(frozen=True)
class Program:
    """One binary: its name, the module folder that pins it, and its Go package."""

    name: str
    module: str
    package: str


PROGRAMS = (
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Program("kwokctl", "kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    Program("metrics-server", "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
    Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Program("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
)


@dataclass(frozen=True)
class Manifests:
    """A folder of manifests inside a pinned module, kept in the cache under `name`."""

    name: str
    module: str
    requirement: str
    path: str


# What kwokctl would otherwise download at start.
MANIFESTS = (
    Manifests("metrics-server", "metrics-server", "sigs.k8s.io/metrics-server", "manifests/base"),
    Manifests("metrics", "kwok", "sigs.k8s.io/kwok", "kustomize/metrics/resource"),
    Manifests("usage", "kwok", "sigs.k8s.io/kwok", "kustomize/metrics/usage"),
)

_VERSION = "k8s.io/component-base/version"
# Without the clients of every cloud to discover targets in: 1,043 packages to compile in place of 1,517.
_TAGS = {"prometheus": ("-tags", "remove_all_sd")}


def pinned_version(module: str, requirement: str) -> str:
    """The version that modules/<module>/go.mod requires of `requirement`, for example ``v1.37.2``."""
    text = (MODULES / module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require )?{re.escape(requirement)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise ClusterError(f"{MODULES / module / 'go.mod'} does not pin {requirement}")
    return found.group(1)


def build_flags(module: str) -> list[str]:
    """Flags of ``go build``; Kubernetes takes its version string from the linker."""
    linker = "-s -w"
    if module == "kubernetes":
        version = pinned_version("kubernetes", "k8s.io/kubernetes")
        major, minor, _ = version.removeprefix("v").split(".", 2)
        linker += f" -X {_VERSION}.gitVersion={version} -X {_VERSION}.gitMajor={major}"
        linker += f" -X {_VERSION}.gitMinor={minor}"
    return ["-trimpath", "-buildvcs=false", *_TAGS.get(module, ()), "-ldflags", linker]


def cache_root() -> Path:
    """Where builds are kept: MLSCALE_CLUSTER_CACHE, or ~/.cache/mlscale."""
    chosen = os.environ.get("MLSCALE_CLUSTER_CACHE")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "mlscale"


def cache_folder(prefix: str = "cluster", programs: Iterable[Program] = PROGRAMS) -> Path:
    """The folder of exactly these modules, flags and machine type."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} CGO_ENABLED=0\n".encode())
    for module in sorted({program.module for program in programs}):
        digest.update(" ".join([module, *build_flags(module)]).encode())
        for name in ("go.mod", "go.sum"):
            digest.update((MODULES / module / name).read_bytes())
    return cache_root() / f"{prefix}-{digest.hexdigest()[:12]}"


def missing_programs(folder: Path, programs: Iterable[Program] = PROGRAMS) -> list[Program]:
    """Those of `programs` that `folder` does not hold yet."""
    return [program for program in programs if not os.access(folder / "bin" / program.name, os.X_OK)]


def why_unavailable() -> str:
    """Why no control plane can be had here, or an empty string where the binaries are cached or Go can build them."""
    if _is_complete(cache_folder()):
        return ""
    try:
        require_go()
    except ClusterError as error:
        return str(error)
    return ""


def ensure_binaries(say: Say) -> Path:
    """Build what is missing and return the cache folder; other builders wait on a lock meanwhile.

    Raises ClusterError where Go is missing or too old, or a build fails.
    """
    folder = cache_folder()
    if not _is_complete(folder):
        with file_lock(folder.with_suffix(".lock"), say):
            _build_missing(folder, say)
    return folder


@contextmanager
def file_lock(path: Path, say: Say | None = None) -> Iterator[None]:
    """Hold an exclusive lock on `path`, saying so where it waits; the kernel frees it even if the holder is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if say is not None:
                say(f"waiting for another process that holds {path}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _is_complete(folder: Path) -> bool:
    copied = all((folder / "manifests" / manifests.name).is_dir() for manifests in MANIFESTS)
    return copied and not missing_programs(folder)


def _build_missing(folder: Path, say: Say) -> None:
    if _is_complete(folder):
        return
    require_go()
    build_programs(folder, PROGRAMS, "about 10 minutes", say)
    (folder / "manifests").mkdir(exist_ok=True)
    for manifests in MANIFESTS:
        _copy(manifests, folder / "manifests")


def build_programs(folder: Path, programs: Iterable[Program], takes: str, say: Say) -> None:
    """Build what `folder` does not hold of `programs`, whose lock the caller holds. Raises ClusterError.

    `takes` says how long that is on 2 cores, for people who wait.
    """
    todo = missing_programs(folder, programs)
    if not todo:
        return
    require_go(*{program.module for program in todo})
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    say(f"building {len(todo)} programs into {folder / 'bin'} (once; {takes} on 2 cores)")
    for number, program in enumerate(todo, start=1):
        _build(program, folder / "bin", f"[{number}/{len(todo)}]", say)


def required_go(*modules: str) -> tuple[int, ...]:
    """The newest Go that one of `modules` asks for, those of the control plane by default: ``(1, 26, 4)``."""
    folders = modules or {program.module for program in PROGRAMS}
    texts = [(MODULES / module / "go.mod").read_text(encoding="utf-8") for module in folders]
    return max(_numbers(match) for text in texts for match in re.findall(r"^go (\S+)", text, re.MULTILINE))


def require_go(*modules: str) -> None:
    """Raises ClusterError where Go is missing or older than `modules` need, by default those of the control plane."""
    newest = required_go(*modules)
    needed = ".".join(map(str, newest))
    if shutil.which("go") is None:
        raise ClusterError(
            f"Go is not on PATH; building the programs of the tests needs Go {needed} or newer (https://go.dev/dl)"
        )
    found = _run_go("etcd", ["env", "GOVERSION"]).strip()
    if _numbers(found.removeprefix("go")) < newest:
        raise ClusterError(f"{found} is too old; building the programs of the tests needs Go {needed} or newer")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("-")[0])[:3])


def _go_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


def _run_go(module: str, arguments: list[str]) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=MODULES / module, env=_go_environment(), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ClusterError(f"go {' '.join(arguments)} in {MODULES / module} failed: {done.stderr.strip()}")
    return done.stdout


def _build(program: Program, into: Path, counter: str, say: Say) -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f".{program.name}-", dir=into) as scratch:
        output = Path(scratch) / program.name
        command = ["go", "build", *build_flags(program.module), "-o", str(output), program.package]
        log = Path(scratch) / "log"
        with log.open("wb") as stream:
            running = subprocess.Popen(
                command, cwd=MODULES / program.module, env=_go_environment(), stdout=stream, stderr=stream
            )
            code = _wait_with_heartbeat(running, f"{counter} {program.name}", started, say)
        if code != 0:
            text = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise ClusterError(f"go build {program.package} failed:\n{text}")
        output.replace(into / program.name)
    say(f"{counter} {program.name} built in {time.monotonic() - started:.0f} s")


def _wait_with_heartbeat(running: subprocess.Popen[bytes], label: str, started: float, say: Say) -> int:
    try:
        while True:
            try:
                return running.wait(timeout=HEARTBEAT_SECONDS)
            except subprocess.TimeoutExpired:
                say(f"{label} building, {time.monotonic() - started:.0f} s so far")
    finally:
        if running.poll() is None:
            running.terminate()
            running.wait()


def _copy(manifests: Manifests, into: Path) -> None:
    target = into / manifests.name
    if target.is_dir():
        return
    module = json.loads(_run_go(manifests.module, ["mod", "download", "-json", manifests.requirement]))
    with tempfile.TemporaryDirectory(prefix=".manifests-", dir=into) as scratch:
        # The module cache is read-only: copy contents without its modes.
        copy = Path(scratch) / target.name
        copy.mkdir()
        for file in (Path(module["Dir"]) / manifests.path).glob("*.yaml"):
            shutil.copyfile(file, copy / file.name)
        copy.replace(target)
