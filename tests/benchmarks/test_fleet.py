"""The rows of the fleet benchmark, and the series it is measured on."""

from __future__ import annotations

import re

from benchmarks.fleet import FleetRow, Measured, render_rows
from benchmarks.fleet_data import PODS, Fleet, series_of

OURS = Measured(wall=1.0, cpu=0.5, server_cpu=0.5, peak_mb=100, queries=21)
THEIRS = Measured(wall=4.0, cpu=3.0, server_cpu=2.0, peak_mb=200, queries=700)


def test_ratios_are_of_krr() -> None:
    row = FleetRow(100, 7, "requests", OURS, THEIRS)
    assert (row.wall_ratio, row.query_ratio) == (0.25, 0.03)


def test_without_krr_there_is_no_ratio() -> None:
    row = FleetRow(100, 7, "requests", OURS, None)
    assert (row.wall_ratio, row.query_ratio) == (None, None)
    assert "krr" not in render_rows([row])
    assert not re.search(r"0\.\d{3}", render_rows([row]))


def test_each_pod_of_a_fleet_leads_to_its_deployment() -> None:
    fleet = Fleet("shop", 3)
    labels = [one["labels"] for one in series_of(fleet)]
    replicasets = {one["replicaset"]: one["owner_name"] for one in labels if one["__name__"] == "kube_replicaset_owner"}
    pods = {one["pod"]: one["owner_name"] for one in labels if one["__name__"] == "kube_pod_owner"}
    measured = {one["pod"] for one in labels if one["__name__"] == "container_cpu_usage_seconds_total"}
    assert sorted(replicasets.values()) == fleet.deployments()
    assert len(pods) == 3 * PODS
    assert set(pods) == measured
    assert set(pods.values()) == set(replicasets)
