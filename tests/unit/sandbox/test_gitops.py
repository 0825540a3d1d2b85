"""The GitOps controller of a scenario: it acts only where the replicas differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlscale.sandbox.gitops import reset_replicas
from mlscale.sandbox.scenario import GitOps
from tests.unit.sandbox.lives import Living, living

GITOPS = GitOps("argocd-controller", "deployments.apps", "default", "my-ml-model", 3, 180)


@pytest.mark.parametrize(
    ("gitops", "replicas", "writes"),
    [
        pytest.param(GITOPS, 3, False, id="they are what the repository says"),
        pytest.param(replace(GITOPS, replicas=5), 5, True, id="they differ"),
        pytest.param(replace(GITOPS, name="other"), 3, False, id="the workload is not there"),
    ],
)
def test_reset(gitops: GitOps, replicas: int, writes: bool) -> None:
    life = living("steady")
    before = life.simulation.store.version
    reset_replicas(life.api, gitops)
    deployment = life.one("deployments.apps")
    assert deployment["spec"]["replicas"] == replicas
    assert (life.simulation.store.version > before) is writes
    managers = {entry["manager"] for entry in deployment["metadata"]["managedFields"]}
    assert ("argocd-controller" in managers) is writes


def test_the_write_is_seen_by_the_controllers() -> None:
    life: Living = living("steady")
    reset_replicas(life.api, replace(GITOPS, replicas=1))
    life.after(10)
    assert len(life.all("pods")) == 1
