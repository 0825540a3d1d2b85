"""Generated patches of one deployment: the sandbox makes of each what a real control plane makes of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.decoding import decode
from mlscale.sandbox.managed_fields import record_update, server_side_apply
from mlscale.sandbox.patches import merge_patch
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.strategic import strategic_merge_patch
from tests.contract.api_types import SCHEMA_FILE, read_types, rendered
from tests.contract.generated_patches import Patches
from tests.contract.sides import control_plane_only
from tests.unit.sandbox.patch_cases import APPLY, MERGE, STRATEGIC
from tests.unit.sandbox.record_owner_answers import settled
from tests.unit.sandbox.record_patch_answers import Server, timeless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.access import Cluster

pytestmark = [pytest.mark.cluster, control_plane_only]

Json = dict[str, Any]

NOW = "2030-01-01T00:00:00Z"
TRIED = "dryRun=All&fieldManager="


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Server:
    return Server(cluster.kubeconfig, tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_generated_patches(server: Server, namespace: str, seed: int) -> None:
    source = random.Random(seed)
    patches, path = Patches(source), f"/apis/apps/v1/namespaces/{namespace}/deployments"
    server.call("POST", f"{path}?fieldManager=creator", patches.deployment())
    path += "/web"
    try:
        for turn in range(20):
            live = settled(server, path)
            check = source.choice([check_merge, check_strategic, check_apply])
            check(server, path, live, patches, force=source.random() < 0.6)
            server.ask("PUT", f"{path}?fieldManager=writer{turn % 3}", patches.deployment())
            server.ask("PATCH", f"{path}?fieldManager=applier{turn % 2}&force=true", patches.configuration(), APPLY)
    finally:
        server.ask("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)


def test_the_schema_is_the_servers(server: Server) -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == rendered(read_types(server))


def check_merge(server: Server, path: str, live: Json, patches: Patches, *, force: bool) -> None:
    body = patches.merge()
    compare_patch(server, path, live, body, MERGE, merge_patch)


def check_strategic(server: Server, path: str, live: Json, patches: Patches, *, force: bool) -> None:
    body = patches.strategic()
    compare_patch(server, path, live, body, STRATEGIC, strategic_merge_patch)


def compare_patch(server: Server, path: str, live: Json, body: Json, kind: str, patch: Any) -> None:
    code, answer = server.ask("PATCH", f"{path}?{TRIED}me", body, kind)
    made, refusal = outcome(lambda: decode(patch(live, body)).object)
    if refusal is not None:
        # Of several errors the server names any.
        assert refusal.code == code, (body, answer)
        return
    same_as_replaced(server, path, (code, answer), made, body)
    if code < 300:
        sent = {**answer, "metadata": {key: item for key, item in answer["metadata"].items() if key != "managedFields"}}
        recorded = record_update(live, sent, "me", "", NOW)
        assert owners(recorded) == owners(answer), body


def check_apply(server: Server, path: str, live: Json, patches: Patches, *, force: bool) -> None:
    body = patches.configuration()
    code, answer = server.ask("PATCH", f"{path}?{TRIED}applier0{'&force=true' if force else ''}", body, APPLY)
    made, refusal = outcome(lambda: server_side_apply(live, body, "applier0", NOW, force=force))
    if refusal is not None:
        assert (refusal.code, refusal.message) == (code, answer["message"]), body
        return
    same_as_replaced(server, path, (code, answer), decode(made).object, body)
    if code < 300:
        assert owners(made) == owners(answer), body


def outcome(make: Callable[[], Json]) -> tuple[Json, StatusError | None]:
    try:
        return make(), None
    except StatusError as refusal:
        return {}, refusal


def same_as_replaced(server: Server, path: str, patched: tuple[int, Json], made: Json, body: Json) -> None:
    """The server defaults and validates what is made here: a PUT of it must give what the patch gave."""
    code, answer = server.ask("PUT", f"{path}?{TRIED}me", made)
    assert code == patched[0], (body, answer, patched[1])
    if code < 300:
        assert unowned(answer) == unowned(patched[1]), body


def unowned(obj: Json) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "managedFields": [], "generation": 0}}


def owners(obj: Json) -> list[Json]:
    return timeless(obj["metadata"].get("managedFields", []))
