"""Requests of those whom the server does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.api import Api
from tests.contract.exchanges import Send, case, get
from tests.contract.sides import Stage
from tests.contract.written import MAPS

if TYPE_CHECKING:
    from tests.cluster.access import Cluster
    from tests.contract.exchanges import Case

pytestmark = pytest.mark.cluster

WRONG = {"Authorization": "Bearer wrong"}
CASES = [
    case("a wrong token", Send("GET", MAPS, headers=WRONG)),
    case("a wrong token for discovery", Send("GET", "/apis/apps", headers=WRONG)),
    case("a wrong token for health", Send("GET", "/healthz", headers=WRONG)),
    case("credentials of another kind", Send("GET", MAPS, headers={"Authorization": "Basic YTpi"})),
    case("nobody, for an object", get(f"{MAPS}/m")),
    case("nobody, for a list as YAML", get(MAPS, "application/yaml")),
]


@pytest.fixture(scope="module")
def strangers(
    control_plane_cluster: Cluster, sandbox_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    clusters, folder = (control_plane_cluster, sandbox_cluster), tmp_path_factory.mktemp("strangers")
    return Stage(tuple(Api(one.kubeconfig, folder, anonymous=True) for one in clusters), "default")


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_stranger(strangers: Stage, one: Case) -> None:
    strangers.check(one)
