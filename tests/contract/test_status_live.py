"""``status`` below the command line against the real control plane: byte for byte what kubectl prints, and why."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from mlscale.kube.access import Overrides
from mlscale.kube.client import Client
from mlscale.kube.finding import Finding
from mlscale.kube.kinds import DEPLOYMENT, STATEFULSET, Kind
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.targets import Target
from mlscale.kube.transport import Transport
from mlscale.output.tables import no_resources_message, render_names, render_tables, render_watch
from mlscale.status.model import StatusRequest, StatusResult
from mlscale.status.read import read_status
from mlscale.status.report import status_report
from mlscale.status.watch import watch_status
from tests.cluster import manifests
from tests.cluster.access import Cluster, Run, poll
from tests.contract.agreement import agree, masked

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cluster

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schemas" / "status-v1.json"
CPU = {"cpu": "500m"}
SETS = "app in (web,api),!x"


@pytest.fixture
def client(kubeconfig: Path) -> Client:
    access = read_access(Overrides(kubeconfig=str(kubeconfig)), {})
    return Client(access, Transport(access, timeout=30))


@pytest.fixture
def web(cluster: Cluster, namespace: str) -> str:
    """Deployments web and api, StatefulSet db, HPAs of web and api; all pods Ready. The namespace."""
    things = [
        manifests.deployment("web", replicas=3, requests=CPU),
        manifests.deployment("api", requests=CPU),
        manifests.statefulset("db"),
        manifests.hpa("web", least=2, most=5),
        manifests.hpa("api"),
    ]
    cluster.apply(things, namespace)
    for name in ("deployment/web", "deployment/api", "statefulset/db"):
        cluster.kubectl("rollout", "status", name, "-n", namespace, "--timeout=60s")
    # An HPA's row changes when the controller first writes its status, so wait for that.
    for name in ("hpa/web", "hpa/api"):
        cluster.kubectl("wait", "--for=condition=AbleToScale", name, "-n", namespace, "--timeout=60s")
    return namespace


def status(client: Client, namespace: str | None, *names: str, kind: Kind = DEPLOYMENT, **more: Any) -> StatusResult:
    targets = tuple(Target(kind, str(namespace), name) for name in names)
    return read_status(client, StatusRequest(namespace, targets, **more))


def text(result: StatusResult, *, wide: bool = False) -> str:
    tables = [(table.kind.printed, table.table) for table in result.tables]
    everywhere = result.request.namespace is None
    return "".join(render_tables(tables, with_kind=result.with_kind, wide=wide, namespaced=everywhere))


def reasons(result: StatusResult) -> dict[str, str]:
    return {finding.reason: finding.message for finding in result.findings}


def finding(client: Client, namespace: str, reason: str, *names: str, seconds: float = 60, start: str = "") -> Finding:
    """The finding with `reason` whose message starts with `start`, as soon as the cluster shows its cause."""

    def seen() -> Finding | None:
        found = status(client, namespace, *names).findings
        return next((f for f in found if f.reason == reason and f.message.startswith(start)), None)

    return poll(seen, seconds, f"finding {reason} {start}")


KUBECTL_FORMS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("get pods -l", {"only": ("pods",), "selector": "app=web"}, ["pods", "-l", "app=web"]),
    ("get pods", {"only": ("pods",)}, ["pods"]),
    ("get hpa", {"only": ("hpa",)}, ["hpa"]),
    ("get deploy,sts", {"only": ("workloads",)}, ["deploy,sts"]),
    ("get deploy,sts,pods,hpa", {}, ["deploy,sts,pods,hpa"]),
    ("set-based selector", {"only": ("pods",), "selector": SETS}, ["pods", "-l", SETS]),
]


@pytest.mark.parametrize("wide", [False, True], ids=["", "wide"])
@pytest.mark.parametrize(("form", "asked", "arguments"), KUBECTL_FORMS, ids=[form for form, _, _ in KUBECTL_FORMS])
def test_the_tables_are_kubectls_to_the_byte(
    client: Client, web: str, kubectl: Run, form: str, asked: dict[str, Any], arguments: list[str], wide: bool
) -> None:
    line = ("get", *arguments, *(["-o", "wide"] if wide else []))
    agree(lambda: text(status(client, web, **asked), wide=wide), lambda: kubectl(*line).stdout)


def test_names_are_read_as_kubectl_reads_them(client: Client, web: str, kubectl: Run) -> None:
    by_name = status(client, web, "web", "api", only=("workloads",))
    assert masked(text(by_name)) == masked(kubectl("get", "deploy", "web", "api").stdout)
    agree(lambda: text(status(client, web, "web", only=("hpa",))), lambda: kubectl("get", "hpa", "web").stdout)
    database = status(client, web, "db", kind=STATEFULSET, only=("workloads",))
    assert masked(text(database)) == masked(kubectl("get", "sts", "db").stdout)


def test_a_name_shows_its_workload_its_pods_and_the_hpas_that_target_it(client: Client, web: str, kubectl: Run) -> None:
    """kubectl needs three calls, or an HPA with the workload's labels, which ``autoscale`` does not give it."""
    pods = kubectl("get", "pods", "-l", "app=web", "-o", "name").stdout.split()
    line = ("get", "deployment/web", *pods, "hpa/web")
    agree(lambda: text(status(client, web, "web")), lambda: kubectl(*line).stdout)


def test_a_selector_finds_the_hpas_of_what_it_selects(client: Client, web: str, kubectl: Run) -> None:
    def theirs(*line: str) -> str:
        return kubectl("get", *line).stdout

    def last_row(output: str) -> str:
        return " ".join(output.splitlines()[-1].split()).removeprefix("horizontalpodautoscaler.autoscaling/")

    tables = ("deploy,sts,pods", "-l", "app=web")
    assert "horizontalpodautoscaler" not in theirs("deploy,sts,pods,hpa", "-l", "app=web")
    agree(
        lambda: text(status(client, web, selector="app=web")).rpartition("\n\nNAME")[0] + "\n", lambda: theirs(*tables)
    )
    agree(lambda: last_row(text(status(client, web, selector="app=web"))), lambda: last_row(theirs("hpa", "web")))
    agree(lambda: text(status(client, web, selector="app=web", only=("hpa",))), lambda: theirs("hpa", "web"))


def test_an_hpa_with_the_label_is_found_too(client: Client, web: str, kubectl: Run) -> None:
    kubectl("label", "hpa", "api", "team=ml")
    line = ("get", "hpa", "-l", "team=ml")
    agree(lambda: text(status(client, web, selector="team=ml", only=("hpa",))), lambda: kubectl(*line).stdout)


def test_all_namespaces(client: Client, web: str, kubectl: Run) -> None:
    """Other tests come and go on the same cluster, so only the lines of this test's namespace are compared."""

    def mine(output: str) -> str:
        return "\n".join(" ".join(line.split()) for line in output.splitlines() if line.startswith((web, "NAMESPACE")))

    agree(lambda: mine(text(status(client, None))), lambda: mine(kubectl("get", "deploy,sts,pods,hpa", "-A").stdout))
    assert mine(text(status(client, None))).count("\n") >= 10


def test_names_only(client: Client, web: str, kubectl: Run) -> None:
    result = status(client, web)
    lines = [line for table in result.tables for line in render_names(table.kind.printed, table.table)]
    assert lines == kubectl("get", "deploy,sts,pods,hpa", "-o", "name").stdout.splitlines()


def test_an_empty_namespace_says_so_as_kubectl_does(client: Client, namespace: str, kubectl: Run) -> None:
    theirs = kubectl("get", "deploy,pods,hpa")
    result = status(client, namespace)
    assert (text(result), result.is_empty, result.errors) == ("", True, ())
    assert f"{no_resources_message(namespace)}\n" == theirs.stderr


def test_a_namespace_that_does_not_exist_is_not_taken_for_an_empty_one(client: Client, namespace: str) -> None:
    result = status(client, f"{namespace}x")
    assert [error.message for error in result.errors] == [f'namespace "{namespace}x" not found']
    assert f'"{namespace}"' in result.errors[0].hint
    assert result.exit_code == 3


def test_a_name_that_does_not_exist_is_an_error_beside_the_others(client: Client, web: str) -> None:
    result = status(client, web, "wbe", "web")
    assert [str(error) for error in result.errors] == [
        f'deployments.apps "wbe" not found in namespace "{web}"; did you mean "web"?'
    ]
    assert result.exit_code == 3
    assert "deployment.apps/web" in text(result)


def test_the_document_obeys_its_schema(client: Client, web: str) -> None:
    result = status(client, web, "wbe", "web", objects=True)
    document = json.loads(json.dumps(status_report(result)))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert [obj["metadata"]["name"] for obj in document["workloads"]] == ["web"]
    assert {pod["kind"] for pod in document["pods"]} == {"Pod"}
    assert [hpa["spec"]["maxReplicas"] for hpa in document["hpas"]] == [5]
    assert document["errors"][0]["exitCode"] == 3
    hpas = status_report(status(client, web, only=("hpa",), objects=True))
    assert hpas["pods"] is None


def test_what_works_is_not_explained(client: Client, web: str) -> None:
    """HPAs of this young cluster may wait for their first sample; nothing else is to be said."""
    assert [found for found in status(client, web).findings if found.reason != "NoSamples"] == []


def test_a_missing_request_is_named_with_its_container(client: Client, cluster: Cluster, namespace: str) -> None:
    cluster.apply([manifests.deployment("noreq"), manifests.hpa("noreq")], namespace)
    # The controller asks for requests only once metrics-server has samples of the pod.
    found = finding(client, namespace, "MissingRequest", "noreq", seconds=120)
    assert found == Finding(
        "warning",
        "MissingRequest",
        "hpa/noreq has no value for cpu: container model of Deployment/noreq has no cpu request; "
        "set resources.requests.cpu on it, or target an average value",
        "horizontalpodautoscaler.autoscaling/noreq",
    )


def test_a_quota_that_refuses_pods_is_named(client: Client, cluster: Cluster, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    cluster.apply(quota, namespace)
    cluster.apply(manifests.deployment("web", replicas=5), namespace)
    found = finding(client, namespace, "FailedCreate", "web")
    assert found.message.startswith("deployment.apps/web has ")
    assert "of 5 pods: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2" in found.message


def test_a_statefulset_under_quota_is_explained_by_its_events(client: Client, cluster: Cluster, namespace: str) -> None:
    """It has no ReplicaFailure condition: its row says 1/3 and nothing else would tell why."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    cluster.apply(quota, namespace)
    cluster.apply(manifests.statefulset("db", replicas=3), namespace)
    # Its event may come before its status counts the pod that was made.
    found = finding(client, namespace, "FailedCreate", start="statefulset.apps/db has 1 of 3 pods: ")
    assert "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1" in found.message


def test_pods_that_need_a_gpu_too_many_are_named_with_it(client: Client, cluster: Cluster, namespace: str) -> None:
    gpus = {"nvidia.com/gpu": "64"}
    cluster.apply(manifests.deployment("gpu", replicas=3, requests=gpus, limits=gpus), namespace)

    def all_three() -> str | None:
        message = reasons(status(client, namespace, "gpu")).get("Unschedulable", "")
        return message if message.startswith("3 pods") else None

    message = poll(all_three, 30, "three unschedulable pods")
    assert message.startswith("3 pods Unschedulable: nvidia.com/gpu is short (0/")
    assert "Insufficient nvidia.com/gpu" in message
    assert "preemption" not in message


def test_two_hpas_on_one_target_are_one_finding_that_names_both(client: Client, web: str, cluster: Cluster) -> None:
    cluster.apply(manifests.hpa("web", name="web2"), web)
    found = finding(client, web, "AmbiguousSelector", "web")
    assert found.message == "hpa/web and hpa/web2 both target Deployment/web: neither scales by its metrics; keep one"
    cluster.kubectl("wait", "--for=condition=ScalingActive=False", "hpa/web2", "-n", web, "--timeout=60s")
    again = status(client, web, "web")
    assert [f.reason for f in again.findings] == ["AmbiguousSelector"]


def test_a_target_that_is_missing_and_one_at_zero_are_told(client: Client, cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        [manifests.hpa("ghost"), manifests.deployment("idle", replicas=0, requests=CPU), manifests.hpa("idle")],
        namespace,
    )
    gone = finding(client, namespace, "FailedGetScale")
    off = finding(client, namespace, "ScalingDisabled")
    assert gone.message == 'hpa/ghost cannot read the scale of Deployment/ghost: deployments.apps "ghost" not found'
    assert (off.level, off.message) == (
        "note",
        "hpa/idle is off while Deployment/idle has 0 replicas; scale it to 1 or more to switch the HPA on",
    )


def test_load_beyond_max_is_told_with_the_use(client: Client, cluster: Cluster, namespace: str) -> None:
    busy = manifests.deployment("busy", replicas=2, requests=CPU, usage_cpu="500m")
    cluster.apply([busy, manifests.hpa("busy", least=1, most=2, cpu_percent=50)], namespace)
    found = finding(client, namespace, "TooManyReplicas", "busy", seconds=120)
    # metrics-server divides by the time between two scrapes as it saw them, so 500m may come out as 499m.
    assert re.sub(r"(99|101)%", "100%", found.message) == (
        "hpa/busy wants more than max 2: cpu is at 100%, its target 50%; raise max, or make each pod do more"
    )


def test_a_watch_prints_the_tables_and_then_what_changes(client: Client, web: str, cluster: Cluster) -> None:
    changes = watch_status(client, StatusRequest(web, (Target(DEPLOYMENT, web, "web"),)))
    lines = render_watch(((change.kind.printed, change.table) for change in changes), with_kind=True)
    first = text(status(client, web, "web")).splitlines()
    assert masked("\n".join(next(lines) for _ in first)) == masked("\n".join(first))
    cluster.kubectl("label", "deployment", "web", "colour=blue", "-n", web)
    cluster.kubectl("scale", "deployment", "web", "--replicas=4", "-n", web)
    # Deployments and pods are two watches, either of which may be ahead of the other.
    known, seen = {line.split()[0] for line in first if line}, set()

    def is_last(line: str) -> bool:
        name = line.split()[0]
        if line.startswith("deployment.apps/web   4/4") or (name.startswith("pod/") and name not in known):
            seen.add(name.partition("/")[0])
        return len(seen) == 2

    later = _until(lines, is_last)
    assert all("/" in line.split()[0] for line in later)
    assert not any(line.startswith("NAME") for line in later)
    assert {line.split()[0] for line in later if line.startswith("pod/")} - known


def test_a_watch_of_pods_prints_what_kubectl_prints(
    client: Client, web: str, cluster: Cluster, kubeconfig: Path
) -> None:
    theirs = subprocess.Popen(
        [str(cluster.kubectl_path), "get", "pods", "-l", "app=api", "-w"],
        env=cluster.environment(kubeconfig), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert theirs.stdout is not None
    try:
        head = [theirs.stdout.readline() for _ in range(2)]
        changes = watch_status(client, StatusRequest(web, selector="app=api", only=("pods",)))
        lines = render_watch(((change.kind.printed, change.table) for change in changes), with_kind=False)
        assert masked("".join(f"{next(lines)}\n" for _ in head)) == masked("".join(head))
        cluster.kubectl("scale", "deployment", "api", "--replicas=2", "-n", web)
        ours = _until(lines, lambda line: "1/1" in line)
        assert masked("\n".join(ours)) == masked("".join(theirs.stdout.readline() for _ in ours).rstrip("\n"))
    finally:
        theirs.kill()
        theirs.wait()


def _until(lines: Iterator[str], wanted: Any) -> list[str]:
    """The lines up to the first that is `wanted`; a watch that never shows it fails the test after 30 s."""
    seen: list[str] = []
    done = threading.Event()

    def collect() -> None:
        for line in lines:
            seen.append(line)
            if wanted(line):
                done.set()
                return

    threading.Thread(target=collect, daemon=True).start()
    assert done.wait(30), f"seen so far: {seen}"
    return seen
