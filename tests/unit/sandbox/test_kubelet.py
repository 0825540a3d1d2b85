"""The kubelet: pods come up, fail and go, with the statuses and events of kubernetes pkg/kubelet, v1.37.2."""

from __future__ import annotations

import pytest

from mlscale.sandbox.kubelet import address
from mlscale.sandbox.scenario import Crash, Startup
from tests.unit.sandbox.lives import Json, Living, living, pod, small

PROBE = {"readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}}
WEB_2 = "registry.example.com/web:2"


def conditions(life: Living, name: str = "web") -> dict[str, str]:
    return {each["type"]: each["status"] for each in life.one("pods", name)["status"]["conditions"]}


def restarts(life: Living) -> int:
    return int(life.container("web")["restartCount"])


def waiting(life: Living) -> str:
    state: Json = life.container("web")["state"]
    return str(state.get("waiting", {}).get("reason", ""))


def test_an_undescribed_pod_runs_and_is_ready_at_once_and_says_nothing() -> None:
    life = small()
    life.create(pod("other", app="other"))
    status = life.one("pods", "other")["status"]
    assert status["phase"] == "Running"
    assert conditions(life, "other") == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert status["containerStatuses"][0]["state"] == {"running": {"startedAt": "2026-11-25T08:00:00Z"}}
    assert (status["qosClass"], status["podIP"]) == ("BestEffort", "10.0.0.1")
    assert life.events("other") == []


def test_a_pod_whose_annotations_say_its_use_starts_at_once_though_described() -> None:
    life = small(startup=Startup(pull=60))
    life.create(pod(annotations={"kwok.x-k8s.io/usage-cpu": "250m"}))
    assert conditions(life)["Ready"] == "True"


def test_a_described_pod_is_pulled_loaded_and_then_ready() -> None:
    life = small(startup=Startup(pull=4, load=20))
    life.create(pod(container=PROBE))
    assert (life.one("pods", "web")["status"]["phase"], waiting(life)) == ("Pending", "ContainerCreating")
    assert "podIP" not in life.one("pods", "web")["status"]
    life.after(10)
    assert life.one("pods", "web")["status"]["phase"] == "Running"
    ready = next(each for each in life.one("pods", "web")["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [c]"
    life.after(26)
    assert conditions(life)["Ready"] == "True"
    reasons = [reason for reason, _ in life.events("web")]
    assert reasons == ["Pulling", "Pulled", "Created", "Started", "Unhealthy"]


def test_a_node_pulls_an_image_once() -> None:
    life = small(startup=Startup(pull=4))
    life.create(pod())
    life.after(10)
    life.create(pod("web-2"))
    assert conditions(life, "web-2")["Ready"] == "True"
    assert [reason for reason, _ in life.events("web-2")] == ["Pulled", "Created", "Started"]


def test_a_tag_that_the_registry_lacks_cannot_be_pulled() -> None:
    life = small(registry=["registry.example.com/web:1"])
    life.create(pod(image=WEB_2))
    life.after(1)
    assert waiting(life) == "ErrImagePull"
    life.after(3)
    assert waiting(life) == "ImagePullBackOff"
    message = life.container("web")["state"]["waiting"]["message"]
    assert message.startswith(f'Back-off pulling image "{WEB_2}": ErrImagePull: rpc error: code = NotFound')
    assert life.one("pods", "web")["status"]["phase"] == "Pending"


def test_a_repository_that_the_registry_does_not_name_is_there() -> None:
    life = small(registry=["registry.example.com/web:1"])
    life.create(pod(image="registry.example.com/other:7"))
    assert conditions(life)["Ready"] == "True"


def test_a_crash_loop() -> None:
    life = small(crash=Crash(after=5, exit_code=3))
    life.create(pod())
    life.after(5.5)
    assert life.container("web")["state"]["terminated"]["exitCode"] == 3
    life.after(8)
    assert (restarts(life), waiting(life)) == (1, "")
    life.after(13)
    status = life.container("web")
    uid = life.one("pods", "web")["metadata"]["uid"]
    assert status["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 10s restarting failed container=c pod=web_default({uid})",
    }
    assert status["lastState"]["terminated"]["reason"] == "Error"
    assert conditions(life)["Ready"] == "False"
    assert life.one("pods", "web")["status"]["phase"] == "Running"
    assert ("BackOff", f"Back-off restarting failed container c in pod web_default({uid})") in life.events("web")


def test_only_the_image_that_crashes_crashes() -> None:
    life = small(crash=Crash(after=5, images="*:2"))
    life.create(pod())
    life.create(pod("web-2", image=WEB_2))
    life.after(8)
    assert (restarts(life), life.container("web-2")["restartCount"]) == (0, 1)


def test_a_pod_that_is_never_restarted_fails() -> None:
    life = small(crash=Crash(after=5))
    life.create(pod(restartPolicy="Never"))
    life.after(60)
    assert (life.one("pods", "web")["status"]["phase"], restarts(life)) == ("Failed", 0)
    assert {conditions(life)["Ready"], conditions(life)["ContainersReady"]} == {"False"}


@pytest.mark.parametrize(
    ("stop", "grace", "gone_after"),
    [
        pytest.param(0.0, 30, 0.0, id="it stops at once"),
        pytest.param(4.0, 30, 4.0, id="it takes its time"),
        pytest.param(60.0, 30, 30.0, id="it is killed at the end of its grace period"),
        pytest.param(60.0, 0, 0.0, id="no grace"),
    ],
)
def test_a_pod_ends(stop: float, grace: int, gone_after: float) -> None:
    life = small(startup=Startup(stop=stop))
    life.create(pod(terminationGracePeriodSeconds=30))
    life.delete("web", gracePeriodSeconds=grace)
    if gone_after:
        assert ("Killing", "Stopping container c") in life.events("web")
        life.after(gone_after - 0.5)
        assert "deletionTimestamp" in life.one("pods", "web")["metadata"]
    life.after(gone_after)
    assert life.all("pods") == []


def test_a_pod_of_the_same_name_starts_anew() -> None:
    life = small(crash=Crash(after=5))
    life.create(pod())
    life.after(8)
    life.delete("web")
    life.create(pod())
    assert (restarts(life), waiting(life)) == (0, "")
    life.after(12.5)
    assert restarts(life) == 0


def test_init_containers_have_done_their_work_and_sidecars_run() -> None:
    life = small()
    sidecar = {"name": "proxy", "image": "proxy", "restartPolicy": "Always"}
    life.create(pod(initContainers=[{"name": "fetch", "image": "fetch"}, sidecar]))
    fetch, proxy = life.one("pods", "web")["status"]["initContainerStatuses"]
    assert fetch["state"]["terminated"]["reason"] == "Completed"
    assert "running" in proxy["state"]


def test_a_condition_keeps_its_time_until_it_changes() -> None:
    life = small(crash=Crash(after=50))
    life.create(pod())
    life.after(50.5)
    times = {each["type"]: each["lastTransitionTime"] for each in life.one("pods", "web")["status"]["conditions"]}
    assert times["Ready"] == "2026-11-25T08:00:50Z"
    assert times["PodScheduled"] == "2026-11-25T08:00:00Z"


def test_a_run_repeats_to_the_byte() -> None:
    one, other = living("memory-bound"), living("memory-bound")
    for life in (one, other):
        life.after(900)
    assert one.all("pods") == other.all("pods")
    assert one.all("events") == other.all("events")


@pytest.mark.parametrize(("count", "expected"), [(1, "10.0.0.1"), (256, "10.0.1.0"), (70_000, "10.1.17.112")])
def test_addresses(count: int, expected: str) -> None:
    assert address(count) == expected
