"""A real Prometheus with a past: programs of a pinned Go module, blocks made by promtool, a server on loopback.

``mlscale`` reads histories of days, which no test can wait for; ``promtool tsdb create-blocks-from openmetrics``
makes them in seconds (prometheus.io/docs/prometheus/latest/storage, backfilling from OpenMetrics format).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import binaries
from tests.cluster.binaries import ClusterError, Program, Say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE = "github.com/prometheus/prometheus/cmd"
PROGRAMS = (
    Program("prometheus", "prometheus", f"{_PACKAGE}/prometheus"),
    Program("promtool", "prometheus", f"{_PACKAGE}/promtool"),
)

_READY_SECONDS = 60.0
_LISTENING = re.compile(r'msg="Listening on".* address=(127\.0\.0\.1:[0-9]+)')


def _progress(line: str) -> None:
    print(f"prometheus: {line}", file=sys.stderr, flush=True)


def prometheus_path(say: Say = _progress) -> Path:
    """The server. Builds it and promtool on the first call; raises ClusterError where that cannot be done."""
    return _programs(say) / "prometheus"


def promtool_path(say: Say = _progress) -> Path:
    """Its tool. Builds it and the server on the first call; raises ClusterError where that cannot be done."""
    return _programs(say) / "promtool"


def why_unavailable() -> str:
    """Why there can be no Prometheus here; empty where its programs are cached or Go can build them."""
    if not binaries.missing_programs(_folder(), PROGRAMS):
        return ""
    try:
        binaries.require_go("prometheus")
    except ClusterError as error:
        return str(error)
    return ""


def backfill(openmetrics: str | Path, data_directory: Path) -> None:
    """Make blocks in `data_directory` of a text in OpenMetrics format, with times, or of a file that holds one.

    The samples of each series have to be in the order of time. Raises ClusterError with promtool's words.
    """
    if isinstance(openmetrics, Path):
        _create_blocks(openmetrics, data_directory)
        return
    with tempfile.NamedTemporaryFile("w", prefix="mlscale-", suffix=".om", encoding="utf-8") as file:
        file.write(openmetrics)
        file.flush()
        _create_blocks(Path(file.name), data_directory)


@contextmanager
def running_prometheus(data_directory: Path, options: Sequence[str] = ()) -> Iterator[str]:
    """The URL of a server on that data, on a free port of loopback, while the context lasts; it scrapes nothing.

    `options` are added to its command line. What it says goes to ``server.log`` in `data_directory`. Raises
    ClusterError, with the end of that, where it does not start.
    """
    data_directory.mkdir(parents=True, exist_ok=True)
    config, log = data_directory / "prometheus.yml", data_directory / "server.log"
    config.write_text("scrape_configs: []\n", encoding="utf-8")
    command = [
        str(prometheus_path()),
        f"--config.file={config}",
        f"--storage.tsdb.path={data_directory}",
        "--storage.tsdb.retention.time=10y",
        "--web.listen-address=127.0.0.1:0",
        *options,
    ]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        yield _ready(process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _folder() -> Path:
    return binaries.cache_folder("prometheus", PROGRAMS)


def _programs(say: Say) -> Path:
    folder = _folder()
    if binaries.missing_programs(folder, PROGRAMS):
        with binaries.file_lock(folder.with_suffix(".lock"), say):
            binaries.build_programs(folder, PROGRAMS, "3 minutes", say)
    return folder / "bin"


def _create_blocks(file: Path, data_directory: Path) -> None:
    # Blocks of at most 162 h: promtool reads the whole file once for each block.
    options = ("--max-block-duration=168h", "--quiet")
    command = [str(promtool_path()), "tsdb", "create-blocks-from", "openmetrics", *options, str(file)]
    done = subprocess.run([*command, str(data_directory)], capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"promtool tsdb create-blocks-from openmetrics failed: {done.stderr.strip()[-2000:]}")


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Its URL once it answers queries; the port is of its own choice, so that none is taken meanwhile."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = _LISTENING.search(log.read_text(encoding="utf-8", errors="replace"))
        if found is not None and _answers(f"http://{found.group(1)}"):
            return f"http://{found.group(1)}"
        time.sleep(0.05)
    raise ClusterError(f"Prometheus did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:  # noqa: S310  an address of loopback
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        # With credentials demanded it says 401 to everybody else: it is there.
        return error.code == 401
    except OSError:
        return False
