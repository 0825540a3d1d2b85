"""The Prometheus of the tests: built once, on loopback, gone afterwards, and with its own words where it fails."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.cluster import binaries, prometheus
from tests.cluster.test_binaries import builds, install_go, silent

if TYPE_CHECKING:
    from pathlib import Path


def asked(url: str, text: str, at: float) -> Any:
    with urllib.request.urlopen(f"{url}/api/v1/query?query={quote(text)}&time={at}", timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read())["data"]["result"]


def test_what_was_filled_in_is_answered_on_loopback_while_it_runs(prometheus_programs: None, tmp_path: Path) -> None:
    end = int(time.time()) // 60 * 60
    lines = (f'load_total{{pod="web-0"}} {2 * second} {end - 600 + second}\n' for second in range(0, 601, 30))
    prometheus.backfill("".join([*lines, "# EOF\n"]), tmp_path)
    with prometheus.running_prometheus(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
        ((series),) = asked(url, "rate(load_total[5m])", end)
    assert (series["metric"], float(series["value"][1])) == ({"pod": "web-0"}, 2.0)
    with pytest.raises(urllib.error.URLError, match="refused"):
        asked(url, "1", end)


def test_a_text_that_is_no_openmetrics_is_refused_with_promtools_words(
    prometheus_programs: None, tmp_path: Path
) -> None:
    with pytest.raises(binaries.ClusterError, match="data does not end with # EOF"):
        prometheus.backfill("load_total 1 1700000000\n", tmp_path)


def test_a_server_that_does_not_start_says_why(prometheus_programs: None, tmp_path: Path) -> None:
    with (
        pytest.raises(binaries.ClusterError, match="unknown long flag '--no-such-option'"),
        prometheus.running_prometheus(tmp_path, ["--no-such-option"]),
    ):
        pytest.fail("it started")


def test_both_programs_are_built_by_whoever_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_go(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("MLSCALE_CLUSTER_CACHE", str(tmp_path / "cache"))
    server, tool = prometheus.prometheus_path(silent), prometheus.promtool_path(silent)
    assert server.parent == tool.parent
    assert builds(tmp_path / "calls") == sorted(program.package for program in prometheus.PROGRAMS)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prometheus.why_unavailable() == ""


def test_the_programs_of_the_control_plane_do_not_need_the_go_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_go(tmp_path, version="go" + ".".join(map(str, binaries.required_go())))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("MLSCALE_CLUSTER_CACHE", str(tmp_path / "cache"))
    assert binaries.why_unavailable() == ""
    assert "is too old" in prometheus.why_unavailable()
