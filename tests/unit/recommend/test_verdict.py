"""From a workload and its history to the answer, scenario by scenario."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import NotEnoughDataError
from mlscale.hpa.reach import read_reach
from mlscale.hpa.tolerance import Tolerance
from mlscale.recommend.flow import RecommendOptions, recommend_one
from mlscale.recommend.manifests import settings_of
from mlscale.recommend.search import Aim
from tests.unit.recommend.objects import (
    MI,
    container,
    daily,
    deployment,
    facts,
    flat,
    history,
    hpa,
    node,
    pod,
)

if TYPE_CHECKING:
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Recommendation
    from mlscale.usage.model import FloatArray, History

Json = dict[str, Any]

MODEL = container(cpu="500m", memory="512Mi", cpu_limit="1", memory_limit="1Gi")
GPU_MODEL = container(cpu="2", memory="16Gi", memory_limit="32Gi", gpu="1")
QUEUE: dict[str, FloatArray] = {
    "queue_length": flat(30.0),
    "running_requests": flat(64.0),
    "gpu_utilization": flat(0.97, noise=0.001),
}


def answer(workload: WorkloadFacts, used: History, **options: Any) -> Recommendation:
    return recommend_one(workload, used, RecommendOptions(**options))


def gpu_facts(gpus: str = "4", **known: Any) -> WorkloadFacts:
    return facts(deployment(GPU_MODEL, replicas=2), nodes=[node(memory="128Gi", gpu=gpus)], **known)


def gpu_history() -> History:
    return history(flat(0.1), 2, memory=13e9, signals=QUEUE)


def methods(one: Recommendation) -> list[str]:
    return [step.method for step in one.steps]


def test_varying_demand_under_a_poor_hpa_gets_a_better_one() -> None:
    one = answer(facts(deployment(MODEL), hpas=[hpa(2, 10, 30)]), history(daily(0.3, 2.4, days=4)))
    assert [limit.name for limit in one.limits] == ["CpuVarying"]
    assert methods(one) == ["autoscale"]
    now, then, default = one.scores
    assert (now.name, then.name, default.name) == ("now", "recommended", "default")
    assert now.setting == "2..10 at 30 %"
    assert then.core_hours < 0.6 * now.core_hours
    assert then.unmet <= 0.002
    assert one.differs
    assert one.gain.core_hours > 0
    assert one.held_out is not None
    assert then.replicas is not None
    assert then.capacity is not None
    assert len(then.replicas.tolist()) == len(then.capacity.tolist()) == len(one.held_out.times)


def test_the_command_and_the_manifest_say_the_same() -> None:
    one = answer(facts(deployment(MODEL), hpas=[hpa(2, 10, 30, name="web-hpa")]), history(daily(0.3, 2.4, days=4)))
    step = one.steps[0]
    words = shlex.split(step.command)
    given = dict(zip(words[5::2], words[6::2], strict=True))
    assert words[:5] == ["mlscale", "autoscale", "deployment/web", "-n", "shop"]
    assert step.manifest is not None
    assert step.manifest["metadata"] == {"name": "web-hpa", "namespace": "shop"}
    assert given["--name"] == "web-hpa"
    spec = step.manifest["spec"]
    assert (str(spec["minReplicas"]), str(spec["maxReplicas"])) == (given["--min"], given["--max"])
    assert f"{spec['metrics'][0]['resource']['target']['averageUtilization']}%" == given["--cpu"]
    assert step.hpa is not None
    assert settings_of(step.hpa).behavior == spec.get("behavior")


def test_what_is_recommended_works() -> None:
    """It fits, comes back to min, and its target can be reached under the limit."""
    tight = container(cpu="500m", memory="512Mi", cpu_limit="600m")
    workload = facts(deployment(tight), nodes=[node(cpu="4")], hpas=[hpa(2, 20, 20)])
    one = answer(workload, history(daily(0.2, 1.4, days=4), throttled=0.0))
    spec = one.manifests[0]["spec"]
    target = spec["metrics"][0]["resource"]["target"]["averageUtilization"]
    assert spec["maxReplicas"] <= 8  # 4 cores hold 8 pods of 500m
    assert (target * 1.1) < 0.95 * 120
    assert read_reach(target, spec["minReplicas"], spec["maxReplicas"], Tolerance(), cap=120).returns_to_min


def test_steady_demand_gets_a_count() -> None:
    one = answer(facts(deployment(MODEL, replicas=2)), history(flat(1.5), 2))
    assert one.limits[0].name == "CpuSteady"
    assert (methods(one), one.steps[0].replicas) == (["horizontal"], 3)
    assert one.commands == ("mlscale scale deployment/web -n shop --replicas 3",)
    assert one.manifests[0]["spec"] == {"replicas": 3}


def test_what_runs_well_is_left_alone() -> None:
    one = answer(facts(deployment(MODEL)), history(flat(1.2)))
    assert (one.method, one.steps, one.differs) == ("none", (), False)
    assert "noise" in " ".join(one.reasons)
    assert one.row("now") == one.row("recommended") or one.scores[0].pod_hours == one.scores[1].pod_hours


def test_an_idle_workload_loses_copies_first_and_keeps_two() -> None:
    used = history(flat(0.1), 6)
    one = answer(facts(deployment(MODEL, replicas=6)), used)
    assert (methods(one), one.steps[0].replicas) == (["horizontal"], 2)
    cheapest = answer(facts(deployment(MODEL, replicas=6)), used, aim=Aim("cost"))
    assert cheapest.steps[0].replicas == 1


def test_an_idle_single_copy_gets_smaller() -> None:
    large = container(cpu="2", memory="4Gi", memory_limit="4Gi")
    one = answer(facts(deployment(large, replicas=1)), history(flat(0.1), 1))
    assert methods(one) == ["vertical"]
    resources = one.manifests[0]["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "105m", "memory": "230Mi"}}
    assert one.scores[0].core_hours > 10 * one.scores[1].core_hours


def test_a_tight_cpu_limit_is_raised_before_anything_is_derived() -> None:
    throttled = container(cpu="500m", cpu_limit="500m", memory="1Gi")
    one = answer(facts(deployment(throttled, replicas=2), hpas=[hpa(2, 8, 120)]), history(flat(0.98), 2, throttled=0.6))
    assert methods(one) == ["vertical"]
    assert one.commands == ("kubectl set resources deployment web -n shop -c model --limits=cpu=1",)
    assert one.scores == ()
    assert any(note.startswith("its HPA now: ") for note in one.notes), "a target of 120 % is out of reach of the limit"


def test_memory_is_raised_and_not_spread() -> None:
    one = answer(facts(deployment(MODEL)), history(flat(1.2), memory=1020 * MI, oom_kills=3.0))
    assert (one.method, one.limits[0].name) == ("vertical", "Memory")
    assert "more copies do not lower" in one.verdict
    assert "--limits=memory=1326Mi" in one.commands[0]


def test_gpu_load_scales_on_its_queue_once_that_is_served() -> None:
    workload = gpu_facts(hpas=[hpa(2, 8, 60)], custom_metrics=frozenset({"vllm_num_requests_waiting"}))
    one = answer(workload, gpu_history())
    assert one.limits[0].name == "Gpu"
    assert methods(one) == ["autoscale-metric"]
    assert one.commands == (
        "mlscale autoscale deployment/web -n shop --min 2 --max 4 --metric pods:vllm_num_requests_waiting=3",
    )
    assert one.scores == ()


def test_gpu_load_without_a_metrics_adapter_gets_a_count_that_its_hpa_keeps() -> None:
    one = answer(gpu_facts(hpas=[hpa(2, 8, 60)]), gpu_history())
    count, later = one.steps
    # 64 run at once on 2 replicas and 30 wait: 94 / (32 * 0.8) = 3.7
    assert count.command == "mlscale autoscale deployment/web -n shop --min 4 --max 8 --cpu 60%"
    assert (later.method, later.command, later.hpa) == ("autoscale-metric", "", None)
    assert later.manifest is not None


def test_gpu_load_without_an_hpa_gets_a_count() -> None:
    one = answer(gpu_facts(), gpu_history())
    assert one.commands == ("mlscale scale deployment/web -n shop --replicas 4",)


def test_gpu_load_with_no_gpu_left_needs_gpus() -> None:
    one = answer(gpu_facts(gpus="2"), gpu_history())
    assert methods(one) == ["cluster"]
    assert "nvidia.com/gpu is short" in one.verdict
    assert one.commands == ()


def test_waiting_for_something_else_is_said() -> None:
    used = history(flat(0.1), signals={"queue_length": flat(20.0), "latency_p95": flat(5.0)})
    one = answer(facts(deployment(MODEL), hpas=[hpa(2, 8, 50)]), used)
    assert (one.method, one.limits[0].name, one.limits[0].confidence) == ("none", "Downstream", "high")
    assert "more copies will not help" in one.verdict


def test_a_missing_request_is_set_before_an_hpa_counts_on_it() -> None:
    one = answer(facts(deployment(container(memory="512Mi"))), history(daily(0.3, 2.4, days=4)))
    assert methods(one)[:1] == ["vertical"]
    assert "--requests=cpu=800m" in one.commands[0]
    assert set(methods(one)[1:]) <= {"autoscale", "horizontal"}


def test_a_full_cluster_comes_first_and_alone() -> None:
    workload = deployment(MODEL)
    pending = pod(2, workload, pending="0/1 nodes are available: 1 Insufficient cpu.")
    one = answer(facts(workload, pods=[pod(0, workload), pod(1, workload), pending]), history(flat(1.2), 2))
    assert methods(one) == ["cluster"]
    assert "cpu is short" in one.verdict


def test_a_quota_that_refuses_pods_is_the_cluster_too() -> None:
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": 'pods "web-x" is forbidden: exceeded quota: compute, requested: requests.cpu=500m',
    }
    one = answer(facts(deployment(MODEL, conditions=[failure])), history(flat(1.2)))
    assert one.limits[0].reasons == ("exceeded quota: compute, requested: requests.cpu=500m",)


def test_neither_wider_nor_taller_leaves_a_cheaper_model() -> None:
    large = container(cpu="14", memory="40Gi", memory_limit="48Gi")
    one = answer(facts(deployment(large, replicas=1)), history(flat(13.5), 1, memory=30e9))
    assert (methods(one), one.limits[-1].name) == (["cheaper-model"], "Ceiling")


def test_two_hpas_are_one_too_many() -> None:
    one = answer(facts(deployment(MODEL), hpas=[hpa(), hpa(name="other")]), history(flat(1.2)))
    assert one.limits[0].name == "Rival"
    assert "Keep one HPA: delete web or other." in [step.why for step in one.steps]
    assert one.commands == ()


def test_a_manifest_that_sets_replicas_fights_an_hpa() -> None:
    applied = '{"spec": {"replicas": 2}}'
    marks = {
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "argocd.argoproj.io/tracking-id": "models:apps/Deployment:shop/web",
    }
    one = answer(facts(deployment(MODEL, annotations=marks), hpas=[hpa(2, 8, 60)]), history(flat(1.2)))
    assert one.limits[0].name == "Rival"
    assert "Argo CD" in one.steps[0].why


def test_what_keda_scales_is_changed_there() -> None:
    labels = {"app.kubernetes.io/managed-by": "keda-operator", "scaledobject.keda.sh/name": "web"}
    by_keda = hpa(2, 10, 30, name="keda-hpa-web")
    by_keda["metadata"]["labels"] = labels
    one = answer(facts(deployment(MODEL), hpas=[by_keda]), history(daily(0.3, 2.4, days=4)))
    assert all(not step.command for step in one.steps if step.method == "autoscale")


def test_an_hpa_on_another_metric_is_scored_as_recorded() -> None:
    metric = {
        "type": "Pods",
        "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "9"}},
    }
    one = answer(facts(deployment(MODEL), hpas=[hpa(2, 8, metrics=[metric])]), history(daily(0.3, 2.4, days=4)))
    assert one.scores[0].setting == "as recorded"
    assert one.scores[0].pod_hours == pytest.approx(3 * 28.8, rel=0.01)


@pytest.mark.parametrize(
    ("days", "expected"), [(0.125, "3 h of 24 h needed"), (0.0, "has no CPU use of it")], ids=["3 h", "none"]
)
def test_too_little_is_no_answer(days: float, expected: str) -> None:
    with pytest.raises(NotEnoughDataError, match=expected):
        answer(facts(deployment(MODEL)), history(flat(1.2, days=days + 1 / 1440 if days else 0)))


def test_a_short_watch_may_be_allowed_and_is_said() -> None:
    one = answer(facts(deployment(MODEL)), history(flat(1.2, days=0.1)), least_span=60.0)
    assert any("cannot be seen" in note for note in one.notes)


def test_notes_tell_what_was_not_read_and_who_else_is_there() -> None:
    vpa = {
        "metadata": {"name": "v"},
        "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    }
    pdb = {
        "metadata": {"name": "p"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 0},
    }
    one = answer(facts(deployment(MODEL, updatedReplicas=1), vpas=[vpa], pdbs=[pdb]), history(flat(1.2)))
    text = "\n".join(one.notes)
    for expected in ("VerticalPodAutoscaler v sets its requests", "PodDisruptionBudget p", "a rollout is under way"):
        assert expected in text


def test_names_from_the_cluster_cannot_write_to_the_terminal() -> None:
    evil = container("mo\x1b[31mdel", cpu="500m", cpu_limit="500m")
    one = answer(facts(deployment(evil)), history(flat(1.47), throttled=0.9, names=("mo\x1b[31mdel",)))
    assert one.method == "vertical"
    assert "\x1b" not in one.verdict + "".join(one.limits[0].reasons) + "".join(step.why for step in one.steps)


@pytest.mark.parametrize(("level", "said"), [(0.0, True), (0.2, False)])
def test_rest_for_much_of_the_time_is_worth_a_word(level: float, said: bool) -> None:
    used = flat(1.2)
    used[: used.size // 3] = level
    one = answer(facts(deployment(MODEL)), history(used))
    assert any("scale it to zero" in note for note in one.notes) is said


def test_idle_gpus_are_given_back() -> None:
    used = history(flat(0.1), 4, memory=13e9, signals={"gpu_utilization": flat(0.1)})
    one = answer(facts(deployment(GPU_MODEL, replicas=4), nodes=[node(memory="128Gi", gpu="4")]), used)
    assert one.limits[0].name == "Idle"
    # 4 GPUs busy for a tenth of the time, at 80 %: half a GPU.
    assert "mlscale scale deployment/web -n shop --replicas 1" in one.commands


def test_a_gpu_without_signals_is_not_judged_by_its_cpu() -> None:
    one = answer(gpu_facts(hpas=[hpa(2, 8, 60)]), history(flat(0.1), 2, memory=13e9))
    assert (one.limits[0].confidence, one.steps, one.scores) == ("low", (), ())
    assert any("does not show the load of a GPU" in note for note in one.notes)


def test_half_a_minute_says_what_is_wrong_and_derives_no_numbers() -> None:
    one = answer(facts(deployment(MODEL, replicas=6)), history(flat(0.1, days=0.002), 6), least_span=60.0)
    assert (one.limits[0].name, one.steps, one.scores) == ("Idle", (), ())
    assert "no numbers are derived" in one.verdict


def test_an_hpa_that_lacks_its_request_is_named() -> None:
    blind = hpa(2, 8, 60)
    blind["status"] = {
        "conditions": [
            {
                "type": "ScalingActive",
                "status": "False",
                "reason": "FailedGetResourceMetric",
                "message": "missing request for cpu in container model of Pod web-0",
            }
        ]
    }
    one = answer(facts(deployment(container(memory="512Mi")), hpas=[blind]), history(flat(1.2)))
    assert one.verdict.startswith("Its HPA cannot scale without the CPU requests")
    assert "--requests=cpu=" in one.commands[0]
    assert any("missing request for cpu" in note for note in one.notes)
