"""Who sets the replicas: what pods that come and go tell, and whose fields an HPA's are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlscale.recommend.governors import find_rivals, new_pods_an_hour, spec_writers
from tests.unit.recommend.objects import container, deployment, facts, flat, history, hpa

MODEL = container(cpu="500m", memory="512Mi")


@pytest.mark.parametrize(
    ("seen", "variation", "hpas", "fights"),
    [(500, 1.1, 1, True), (3, 1.1, 1, False), (100, 1.1, 1, False), (500, 3.0, 1, False), (500, 1.1, 0, False)],
    ids=["ten new pods an hour", "those that are there", "two an hour", "demand varies", "no HPA"],
)
def test_pods_that_come_and_go_under_steady_demand_are_a_second_hand(
    seen: int, variation: float, hpas: int, fights: bool
) -> None:
    workload = facts(deployment(MODEL), hpas=[hpa()] * hpas)
    assert bool(find_rivals(workload, replace(history(flat(1.2)), pods_seen=seen), variation)) is fights


def test_a_source_that_does_not_tell_pods_apart_tells_of_no_new_ones() -> None:
    assert new_pods_an_hour(history(flat(1.2))) == 0.0


def test_the_writers_of_an_hpa_are_those_of_its_spec() -> None:
    entries = [
        {"manager": "kubectl-create", "fieldsV1": {"f:metadata": {}, "f:spec": {}}},
        {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}},
        {"manager": "mlscale", "fieldsV1": {"f:spec": {}}},
    ]
    present = hpa()
    present["metadata"]["managedFields"] = entries
    assert spec_writers(facts(deployment(MODEL), hpas=[present])) == ("kubectl-create",)
    assert spec_writers(facts(deployment(MODEL))) == ()
