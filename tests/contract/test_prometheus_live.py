"""What a real Prometheus answers where it is asked too much, or by the wrong one; and samples that are no clean series.

mlscale's own reading of histories, without a cluster: its workload is whatever the samples are of.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mlscale.errors import MlscaleError, NotAllowedError, NotEnoughDataError
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.usage.model import History
from mlscale.usage.prometheus import read_histories, server_time
from mlscale.usage.prometheus_api import Prometheus, PrometheusError, TooMuchError
from mlscale.usage.prometheus_service import prometheus_at
from mlscale.usage.workloads import Resources, Workload
from tests.cluster.prometheus import backfill, running_prometheus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DAY, SCRAPE = 86400, 60
WEB = Workload(Target(DEPLOYMENT, "shop", "web"), {"app": Resources(0.5, 2.0**28, 1.0, 2.0**29)})
PODS = tuple(f"web-7d9f8c6b5-{suffix}" for suffix in ("bcdfg", "hjklm", "npqrs"))
USER, PASSWORD = "ops", "correct"
WEB_CONFIG = f'basic_auth_users:\n  {USER}: "$2b$04$abcdefghijklmnopqrstuu2Vo3TWutZSHUfluiaHt5gekKPzGepHC"\n'
"""What prometheus.io/docs/prometheus/latest/configuration/https says: the bcrypt hash of PASSWORD."""


def line(name: str, pod: str, value: float, moment: float, **labels: str) -> str:
    listed = "".join(f',{label}="{text}"' for label, text in labels.items())
    return f'{name}{{namespace="shop",pod="{pod}",container="app"{listed}}} {value!r} {moment:.3f}\n'


def cpu(pod: str, moments: range, cores: float, *, since: float = 0.0, **labels: str) -> str:
    """A counter of `cores` that begins at `since`, scraped at `moments`."""
    name = "container_cpu_usage_seconds_total"
    return "".join(line(name, pod, cores * (moment - moments[0]) + since, moment, **labels) for moment in moments)


def moments_of(end: int, days: int = 1) -> range:
    return range(end - days * DAY, end + 1, SCRAPE)


@pytest.fixture(scope="module")
def end() -> int:
    """The present, on a whole minute."""
    return int(time.time()) // SCRAPE * SCRAPE


@pytest.fixture(scope="module")
def data(prometheus_programs: None, end: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of three pods of 0.2 cores each."""
    folder = tmp_path_factory.mktemp("prometheus")
    backfill("".join(cpu(pod, moments_of(end), 0.2) for pod in PODS) + "# EOF\n", folder)
    return folder


def unhurried(url: str, environ: Mapping[str, str] | None = None) -> Prometheus:
    """The Prometheus at `url`, asked again at once where it is to be asked again."""
    source = prometheus_at(url, environ or {})
    source._sleep = lambda _seconds: None
    return source


def history(source: Prometheus, end: int) -> History | MlscaleError:
    return dict(read_histories(source, [WEB], end - DAY, end, lambda _done, _whole: None))[WEB.target]


def use_of(found: History | MlscaleError) -> list[float]:
    """Cores of all pods together, at each time."""
    assert isinstance(found, History), found
    values: list[float] = found.cpu.values.tolist()
    return values


def test_a_history_is_read(data: Path, end: int) -> None:
    with running_prometheus(data) as url:
        found = history(unhurried(url), end)
        use = use_of(found)
        assert abs(server_time(unhurried(url)) - time.time()) < 60
    assert len(use) > 600
    assert use[2:] == pytest.approx([0.6] * (len(use) - 2), abs=1e-3)


@pytest.mark.parametrize("samples", [5000, 400])
def test_a_server_that_loads_few_samples_is_asked_in_parts(data: Path, end: int, samples: int) -> None:
    with running_prometheus(data) as url:
        whole = use_of(history(unhurried(url), end))
    with running_prometheus(data, [f"--query.max-samples={samples}"]) as url:
        assert use_of(history(unhurried(url), end)) == whole


def test_a_server_that_loads_next_to_none_is_told_apart(data: Path, end: int) -> None:
    said = r"too many samples.*; give a shorter --history, or raise its limits"
    with running_prometheus(data, ["--query.max-samples=10"]) as url:
        error = history(unhurried(url), end)
    assert isinstance(error, TooMuchError)
    assert re.search(said, str(error))


def test_a_server_whose_time_is_over_is_asked_for_less_before_it_is_given_up(data: Path, end: int) -> None:
    # It answers 422, not 503, where the time ends while it reads its storage.
    said = r"(context deadline exceeded|query timed out in query execution); give a shorter --history"
    with running_prometheus(data, ["--query.timeout=0s"]) as url:
        error = history(unhurried(url), end)
    assert isinstance(error, TooMuchError)
    assert re.search(said, str(error))


def test_who_is_not_known_is_told_what_to_set(data: Path, end: int, tmp_path: Path) -> None:
    config = tmp_path / "web.yml"
    config.write_text(WEB_CONFIG, encoding="utf-8")
    known = {"MLSCALE_PROMETHEUS_USERNAME": USER, "MLSCALE_PROMETHEUS_PASSWORD": PASSWORD}
    wrong = known | {"MLSCALE_PROMETHEUS_PASSWORD": "battery-staple"}
    with running_prometheus(data, [f"--web.config.file={config}"]) as url:
        assert use_of(history(unhurried(url, known), end))
        for environ in ({}, wrong):
            with pytest.raises(NotAllowedError, match=r"\(401\).*; set MLSCALE_PROMETHEUS_TOKEN, or ") as caught:
                history(unhurried(url, environ), end)
            assert "battery-staple" not in str(caught.value)


def test_a_page_below_the_wrong_address_is_no_answer(data: Path, end: int) -> None:
    said = "give the address that has /api/v1/query below it"
    with running_prometheus(data) as url, pytest.raises(PrometheusError, match=said):
        history(unhurried(f"{url}/graph"), end)


def test_a_server_without_the_workload_says_what_to_check(data: Path, end: int) -> None:
    with running_prometheus(data) as url:
        other = Workload(replace(WEB.target, namespace="other"), WEB.containers)
        ((_, error),) = read_histories(unhurried(url), [other], end - DAY, end, lambda _done, _whole: None)
    assert isinstance(error, NotEnoughDataError)
    assert "check that it scrapes the kubelets' cAdvisor" in str(error)


def test_namespaces_are_asked_together_and_told_apart(prometheus_programs: None, end: int, tmp_path: Path) -> None:
    """Pods of one name each, three times the use in one namespace, and one without a sample."""
    bank = cpu(PODS[0], moments_of(end), 0.6).replace('namespace="shop"', 'namespace="bank"')
    backfill(bank + cpu(PODS[0], moments_of(end), 0.2) + "# EOF\n", tmp_path)
    workloads = [Workload(replace(WEB.target, namespace=name), WEB.containers) for name in ("bank", "shop", "none")]
    with running_prometheus(tmp_path) as url:
        found = dict(read_histories(unhurried(url), workloads, end - DAY, end, lambda _done, _whole: None))
        alone = history(unhurried(url), end)
    assert isinstance(found[workloads[2].target], NotEnoughDataError)
    bank_use, shop_use = (use_of(found[one.target]) for one in workloads[:2])
    assert bank_use[2:] == pytest.approx([0.6] * (len(bank_use) - 2), abs=1e-3)
    assert shop_use == use_of(alone)


def _twice(end: int) -> str:
    """One container, scraped by two jobs."""
    both = (cpu(PODS[0], moments_of(end), 0.2, job=job) for job in ("kubelet", "cadvisor"))
    return "".join(both)


def _restarted(end: int) -> str:
    """A counter that is back at zero at noon."""
    moments = moments_of(end)
    return cpu(PODS[0], moments[:720], 0.2, since=5000.0) + cpu(PODS[0], moments[720:], 0.2)


def _not_numbers(end: int) -> str:
    """Beside the counter, memory that is NaN or infinite at times."""
    name, texts = "container_memory_working_set_bytes", ("NaN", "+Inf", "268435456.0")
    memory = (
        line(name, PODS[0], 0.0, moment).replace(" 0.0 ", f" {texts[number % 3]} ")
        for number, moment in enumerate(moments_of(end))
    )
    return cpu(PODS[0], moments_of(end), 0.2) + "".join(memory)


@pytest.mark.parametrize("samples", [_twice, _restarted, _not_numbers], ids=["two jobs", "a reset", "NaN and Inf"])
def test_series_that_are_not_clean_give_the_use_that_was(
    samples: Callable[[int], str], prometheus_programs: None, end: int, tmp_path: Path
) -> None:
    backfill(samples(end) + "# EOF\n", tmp_path)
    with running_prometheus(tmp_path) as url:
        found = history(unhurried(url), end)
    use = use_of(found)[2:]
    assert sum(use) / len(use) == pytest.approx(0.2, rel=0.01)
    # A rate over a reset lacks what was used between the last scrape before it and the reset: never less than nothing.
    assert 0.1 < min(use) <= max(use) < 0.21
    assert isinstance(found, History)
    assert all(math.isfinite(value) for value in found.containers["app"].memory.values)
